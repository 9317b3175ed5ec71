#!/usr/bin/env python3
"""Grouping accuracy of drain3 on lines.tsv, for comparison with ours.

    python3 -m venv venv && venv/bin/pip install drain3==0.9.11 && venv/bin/python drain3_accuracy.py

Accuracy is that of tests/grouping.rs (Zhu et al. 2019): a line counts if its predicted group
holds exactly the lines of its labelled group. drain3 splits at blanks and reads one line at a
time, so a message is given either whole, newlines as blanks, or as its first line only.
`--ours FILE` scores a file with one predicted template per line instead.
"""

import collections
import pathlib
import sys

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

HERE = pathlib.Path(__file__).parent

# What a user who knows the domain would configure: the masks of drain3's own example
# (ids, IPs, hex, numbers) and URLs, uuids, e-mails, paths, quotations, JSON.
MASKS = [
    (r"https?://[^\s\"'<>)]+", "URL"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r"\{\"[^{}]*(\{[^{}]*\}[^{}]*)*\}", "JSON"),
    (r"[\w.+-]+@[\w-]+(\.[\w-]+)*\.[a-z]{2,}", "EMAIL"),
    (r"\"[^\"\n]*\"", "Q"),
    (r"(?<!\w)'[^'\n]*'(?!\w)", "Q"),
    (r"`[^`\n]*`", "Q"),
    (r"(?<![\w<])(\.{0,2}/)?([\w@.\[\]-]+/)+[\w@.\[\]-]+", "PATH"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"\b(?=\w*[A-Z])(?=\w*[a-z])(?=\w*\d)[A-Za-z0-9]{15,21}\b", "ID"),
    (r"\b0x[0-9a-fA-F]+\b", "HEX"),
    (r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b", "HEX"),
    (r"(?<![A-Za-z])[-+]?\d+(\.\d+)*", "NUM"),
]


def lines():
    for line in (HERE / "lines.tsv").read_text(encoding="utf-8").splitlines():
        label, text = line.split("\t", 1)
        yield label, text.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")


def accuracy(labels, predicted):
    def groups(names):
        found = collections.defaultdict(set)
        for index, name in enumerate(names):
            found[name].add(index)
        return found

    labelled = groups(labels)
    return sum(len(g) for g in groups(predicted).values() if labelled[labels[min(g)]] == g)


def drain(messages, masks, similarity, depth):
    config = TemplateMinerConfig()
    config.profiling_enabled = False
    config.drain_sim_th = similarity
    config.drain_depth = depth
    config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in masks]
    miner = TemplateMiner(config=config)
    ids = [miner.add_log_message(message)["cluster_id"] for message in messages]
    return [str(i) for i in ids]


def main():
    labels, messages = zip(*lines())
    total = len(labels)
    if sys.argv[1:2] == ["--ours"]:
        predicted = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()
        print(f"ours: {accuracy(labels, predicted)} of {total}")
        return
    shapes = {
        "whole": [m.replace("\n", " ") for m in messages],
        "first line": [m.split("\n", 1)[0] for m in messages],
    }
    best = {}
    print(f"{'masks':10} {'text':10} {'sim_th':>6} {'depth':>5}  right of {total}")
    for name, masks in (("default", []), ("domain", MASKS)):
        for shape, texts in shapes.items():
            for similarity in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
                for depth in (4, 6, 8):
                    right = accuracy(labels, drain(texts, masks, similarity, depth))
                    if (similarity, depth) == (0.4, 4):
                        print(f"{name:10} {shape:10} {similarity:6} {depth:5}  {right} ({right / total:.1%}), its defaults")
                    best[name, shape] = max(best.get((name, shape), (0,)), (right, similarity, depth))
    for (name, shape), (right, similarity, depth) in best.items():
        print(f"{name:10} {shape:10} {similarity:6} {depth:5}  {right} ({right / total:.1%}), best of 18 settings")


if __name__ == "__main__":
    main()
