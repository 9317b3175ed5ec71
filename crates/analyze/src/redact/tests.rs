use super::*;

#[track_caller]
fn masked(text: &str) -> String {
    let redactor = Redactor::default();
    let once = redactor.text(text).into_owned();
    assert_eq!(redactor.text(&once), once, "masking again changes nothing");
    once
}

/// Checks that `‹…›` in the text is what is masked, and nothing else.
#[track_caller]
fn check(marked: &str) {
    let plain = marked.replace(['‹', '›'], "");
    let found = masked(&plain);
    let mut expect = String::new();
    let mut rest = marked;
    while let Some((before, tail)) = rest.split_once('‹') {
        let (secret, after) = tail.split_once('›').expect("a closing mark");
        let redactor = Redactor::default();
        let kinds = Kind::ALL.map(|kind| redactor.pseudonym(kind, secret.as_bytes()));
        expect.push_str(before);
        let start = found.get(expect.len()..).unwrap_or_default();
        let pseudonym = kinds.iter().find(|pseudonym| start.starts_with(pseudonym.as_str()));
        let Some(pseudonym) = pseudonym else { panic!("expected a pseudonym of {secret} in {found}") };
        expect.push_str(pseudonym);
        rest = after;
    }
    expect.push_str(rest);
    assert_eq!(found, expect, "{marked}");
}

#[test]
fn tokens_by_what_they_look_like() {
    check("using ‹apify_api_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789› now");
    check("‹ghp_abcdefghijklmnopqrstuvwxyz0123456789›");
    check("FOO_‹ghp_abcdefghijklmnopqrstuvwxyz0123456789›, next");
    check("‹github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789ABCDEFGHIJ›");
    check("id ‹AKIAIOSFODNN7EXAMPLE› and (‹xoxb-123456789012-abcdefGHIJKL›)");
    check(
        "jwt ‹eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U›.",
    );
    check("bare ‹aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA3bC6dE9f›");
    check(r"line\n‹ghp_abcdefghijklmnopqrstuvwxyz0123456789›\n");
    check("cut: ‹eyJhbGciOiJIUzI1N›");
    check("cut: ‹ghp_abcdef›");
}

#[test]
fn values_by_their_names() {
    check("GET /v2/acts?token=‹abc123DEF›&limit=5");
    check("APIFY_TOKEN=‹hunter2› node main.js");
    check("api_key=‹abc›, next");
    check("password=‹p4ss,w0rd&x› next");
    check("https://example.com/?a=b&password=‹p4ss›&x=1");
    check("Password: ‹hunter2›");
    check("{\"password\":\"‹correct horse›\",\"user\":\"bob\"}");
    check(r#"{\"token\":\"‹s3cr3t›\"}"#);
    check(r#"{\\\"accessToken\\\": \\\"‹s3cr3t›\\\"}"#);
    check(r#"{"secret":"‹a\"b›","x":1}"#);
    check("{'apiKey': '‹k›'}");
    check("{\"tokens\":[\"‹aa›\",\"‹bb›\"],\"n\":1}");
    check(":api_token => \"‹zzz›\"");
    check("deploy --token ‹abcdef› --env production");
    check(
        "https://s3.example.com/a?X-Amz-Credential=‹AKIAIOSFODNN7EXAMPLE›/20260301/eu/s3&X-Amz-Signature=‹0a1b2c›&x=1",
    );
    check("next=%2Fa%3Ftoken%3D‹abc123›&b");
    check("<Password>‹hunter2›</Password>");
    assert_eq!(masked("{\"password\":12345}"), format!("{{\"password\":\"{}\"}}", pseudonym("12345")));
}

fn pseudonym(secret: &str) -> String {
    Redactor::default().pseudonym(Kind::Secret, secret.as_bytes())
}

#[test]
fn headers() {
    check("Authorization: Bearer ‹abc.def-ghi123›");
    check("authorization: Basic ‹dXNlcjpwYXNz›");
    check("\"Authorization\":\"Bearer ‹abc›\",\"a\":1");
    check("sent Bearer ‹0123456789abcdef›, refused");
    check("sent Basic ‹dXNlcjpwYXNz› and more");
    check("X-Auth-Key: ‹c2547eb745079dac9320b638f5e225cf483cc5cfdda41›");
    check("Cookie: ‹sid=abc; theme=dark›\nnext");
    check("Authorization: Digest ‹username=\"bob\", response=\"6629fae4\"›");
}

#[test]
fn urls_and_addresses() {
    check("proxy http://groups-X,session-1:‹apify_proxy_abc›@proxy.example.com:8000/ is down");
    check("https://‹ghp_abcdefghijklmnopqrstuvwxyz0123456789›:‹x-oauth-basic›@github.com/");
    check("postgres://bob:‹p/a@ss›@db.example.com/main");
    check(r"https:\/\/bob:‹hunter2›@example.com\/");
    check("clone https://‹abcdefghijklmnop0123›@github.com/a/b.git");
    check("mail ‹jane.doe+x@mail.example.co.uk›.");
    check("?user=‹jane%40example.com›&x");
    check(r#""to":"‹jane\u0040example.com›""#);
    assert_eq!(masked("Jane@Example.com"), masked("jane@example.com"));
    assert_eq!(masked(r"jane\u0040example.com"), masked("jane@example.com"));
    assert_eq!(masked("jane%40example.com"), masked("jane@example.com"));
}

#[test]
fn private_keys() {
    check("a -----BEGIN RSA PRIVATE KEY-----‹\nMIIEpAIBAAKCAQEA\nabc=\n›-----END RSA PRIVATE KEY----- b");
    check(r#"{"key":"-----BEGIN PRIVATE KEY-----‹\nMIIEpAIBAAKCAQEA\n›-----END PRIVATE KEY-----\n"}"#);
    check("-----BEGIN PRIVATE KEY-----‹\nMIIEpAIBAAKCAQEA›");
    check("‹MIIEpAIBAAKCAQEAabcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL›");
    check("-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEA\n-----END CERTIFICATE-----");
    let (real, escaped) = ("\nMIIEpAIB\nabc=\n", r"\nMIIEpAIB\nabc=\n");
    let redactor = Redactor::default();
    assert_eq!(
        redactor.pseudonym(Kind::Key, real.as_bytes()),
        redactor.pseudonym(Kind::Key, escaped.as_bytes())
    );
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "",
        "commit 9f59d1f3a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "key <secret> Cookie: <secret>",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "build 7d2e4d4c-8e24-4bfa-a4de-0c1a2b3c4d5e of run aB3dE6gH9jK2mN5pQ",
        "Unexpected token < in JSON at position 0",
        "SyntaxError: Unexpected token: punc (})",
        "Invalid token: expected string, found number",
        "max_tokens=4096 tokens: 120 \"tokens\": 512",
        "token is missing; password must be set; the secret of success",
        "password: invalid",
        "token=null&password=undefined&secret=***",
        "const token = ${TOKEN}; if (token === other) {}",
        "a bearer token is needed, Basic authentication is not enough",
        "npm install glob@7.2.3 wrangler@latest @apify/log icon@2x.png",
        "git@github.com:owner/repo.git and https://github.com/owner/repo@v1",
        "https://example.com:8080/path?page=2&sort=asc#part",
        "PWD=/home/user/app author: Jane, signature: string",
        "integrity sha512-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefghijklmnopqrstuvwxyz==",
        "task-runner disk-usage risk-assessment-for-the-whole-company-2026",
        "authorization failed, cookies accepted",
        "<secret:9f3a6c21> token=<secret:9f3a6c21> https://a:<secret:9f3a6c21>@b.example <email:00000000>",
        "{\"credentials\":{\"user\":\"bob\"}}",
        "std::token::Kind a::secret::b",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn one_secret_has_one_pseudonym() {
    let secret = "apify_api_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789";
    let expect = pseudonym(secret);
    // printf %s apify_api_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789 | sha256sum | cut -c1-8
    assert_eq!(expect, "<secret:5a9e6061>");
    for text in [
        secret.to_owned(),
        format!("token={secret}"),
        format!("token={secret}."),
        format!("{{\"token\":\"{secret}\"}}"),
        format!("Authorization: Bearer {secret}"),
        format!("https://user:{secret}@example.com"),
        format!("?token={}", secret.replace('_', "%5F")),
        format!("\"token\":\"{}\"", secret.replace('a', r"\u0061")),
    ] {
        assert!(masked(&text).contains(&expect), "{}", masked(&text));
    }
    let keyed = Redactor::new(b"key").text(secret).into_owned();
    assert_ne!(keyed, expect);
    assert_eq!(Redactor::new(b"").text(secret), expect);
}

/// Test case 2 of RFC 4231.
#[test]
fn keyed_digests() {
    let digest = hmac(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(digest.get(..4), Some(&[0x5B, 0xDC, 0xC1, 0x46][..]));
    let long = [0xAA; 131];
    let digest = hmac(&long, b"Test Using Larger Than Block-Size Key - Hash Key First");
    assert_eq!(digest.get(..4), Some(&[0x60, 0xE4, 0x31, 0x59][..]));
}

#[test]
fn from_the_middle_of_a_secret() {
    let redactor = Redactor::default();
    let text = b"a token=hunter2hunter2 b";
    let whole = pseudonym("hunter2hunter2");
    assert_eq!(redactor.between(text, 12, 99).as_ref(), format!("{whole} b").as_bytes());
    assert_eq!(redactor.between(text, 22, 99).as_ref(), b" b");
    assert_eq!(redactor.between(text, 0, 12).as_ref(), format!("a token={whole}").as_bytes());
    assert_eq!(redactor.between(text, 0, 5).as_ref(), b"a tok");
    assert_eq!(redactor.prefix(text, 12, 13, 80), whole.as_bytes());
    assert_eq!(redactor.prefix(text, 2, 24, 20), b"token=", "no half of a pseudonym");
    assert_eq!(redactor.prefix(text, 2, 24, 80), format!("token={whole} b").as_bytes());
}

#[test]
fn templates_do_not_tell_secrets_apart() {
    assert_eq!(without_digits("a <secret:9f3a6c21> b < c <email:00000000>"), "a <secret> b < c <email>");
    assert_eq!(without_digits("nothing"), "nothing");
    assert_eq!(without_digits("é<key:01234567>"), "é<key>");
}

/// Any bytes at all, and much of what sets the rules off: no panic, and no more than linear time.
#[test]
fn hostile_text() {
    let redactor = Redactor::default();
    for piece in [
        "token=\"",
        "\\\"token\\\":\\\"",
        "a@",
        "://a:",
        "%40a.",
        "-----BEGIN PRIVATE KEY-----",
        "eyJa.",
        "\\",
        "<secret:",
        "\\u0040",
        "password:[\"",
        "é=",
    ] {
        let text = piece.repeat(20_000);
        let _ = redactor.text(&text);
    }
    let mut state = 7_u32;
    for len in 0..300 {
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"\"\\:=@%<>/.- atokenpwdBEGIN0\xff\xc3\n[]{}"[(state >> 24) as usize % 34]
        };
        let bytes: Vec<u8> = (0..len).map(|_| random()).collect();
        let once = redactor.bytes(&bytes).into_owned();
        assert_eq!(redactor.bytes(&once), once, "{}", bytes.escape_ascii());
    }
}
