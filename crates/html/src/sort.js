"use strict";
// Makes every column head a button that sorts its table; the page is complete without it.
(function () {
  function keyOf(row, column) {
    var cell = row.cells[column], value = cell.getAttribute("data-v");
    if (value === null) { return cell.className === "n" ? parseFloat(cell.textContent) : cell.textContent.trim(); }
    return value === "" ? null : Number(value);
  }
  function compare(a, b) {
    if (typeof a === "number" ? typeof b === "number" : false) { return a - b; }
    return String(a).localeCompare(String(b), "en", { numeric: true });
  }
  function sort(table, heads, column) {
    var head = heads[column], body = table.tBodies[0];
    var isText = !(head.classList.contains("n") || head.classList.contains("d"));
    var before = head.getAttribute("aria-sort");
    var down = before === null ? !isText : before === "ascending";
    heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var rows = Array.from(body.rows).map(function (row) { return { row: row, key: keyOf(row, column) }; });
    var filled = rows.filter(function (one) { return one.key !== null; });
    var empty = rows.filter(function (one) { return one.key === null; });
    filled.sort(function (a, b) { return down ? compare(b.key, a.key) : compare(a.key, b.key); });
    filled.concat(empty).forEach(function (one) { body.appendChild(one.row); });
  }
  document.querySelectorAll("table").forEach(function (table) {
    var heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) { button.appendChild(head.firstChild); }
      head.appendChild(button);
      button.addEventListener("click", function () { sort(table, heads, column); });
    });
  });
})();
