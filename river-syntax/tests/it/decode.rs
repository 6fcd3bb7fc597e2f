//! Decoding with the derive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use river_syntax::{
    Block, Bytes, CapsuleOf, CapsuleType, FromValue, Invalid, Isolated, OptionalSecret, Secret, ShapeKind,
    SourceMap, ToValue, Type, TypeScope, Value, Variables, check, check_types, check_value, decode, diag,
    parse,
};

#[derive(Debug)]
struct Receiver(u32);

impl CapsuleType for Receiver {
    const NAME: &'static str = "metrics.receiver";
}

/// Scrapes targets.
///
/// And sends what they say on.
#[derive(Block, Debug)]
#[expect(clippy::struct_field_names, reason = "the names are the language's")]
#[river(validate = check_timeout)]
struct Scrape {
    /// What to scrape.
    targets: Vec<BTreeMap<String, String>>,
    forward_to: Vec<CapsuleOf<Receiver>>,
    /// How often.
    #[river(default = Duration::from_mins(1))]
    scrape_interval: Duration,
    #[river(default = Duration::from_secs(10))]
    scrape_timeout: Duration,
    #[river(default)]
    honor_labels: bool,
    #[river(default = Bytes(0), text = "no limit")]
    body_size_limit: Bytes,
    job_name: Option<String>,
    #[river(default = Scheme::Http)]
    scheme: Scheme,
    #[river(flatten)]
    client: Client,
    #[river(block, name = "rule")]
    rules: Vec<Rule>,
    #[river(block)]
    clustering: Option<Clustering>,
}

#[derive(Block, Debug)]
struct Client {
    bearer_token: Option<Secret>,
    #[river(default = true)]
    follow_redirects: bool,
    #[river(block)]
    basic_auth: Option<BasicAuth>,
}

#[derive(Block, Debug)]
struct BasicAuth {
    username: String,
    password: Secret,
}

#[derive(Block, Debug)]
struct Rule {
    #[river(label)]
    name: String,
    r#type: String,
    #[river(default = 1)]
    modulus: u8,
}

#[derive(Block, Debug, Default)]
struct Clustering {
    enabled: bool,
}

#[derive(Clone, Copy, Debug, FromValue, PartialEq, ToValue)]
enum Scheme {
    Http,
    Https,
}

fn check_timeout(scrape: &Scrape) -> Result<(), Invalid> {
    if scrape.scrape_timeout > scrape.scrape_interval {
        return Err(Invalid::field(
            "scrape_timeout",
            "scrape_timeout is longer than scrape_interval",
        ));
    }
    Ok(())
}

/// What a sender exports.
#[derive(ToValue)]
struct Exports {
    /// Where to send samples.
    receiver: CapsuleOf<Receiver>,
    #[river(name = "count")]
    number: u32,
}

fn scope() -> Variables {
    let exports = Exports {
        receiver: CapsuleOf(Arc::new(Receiver(7))),
        number: 3,
    };
    let mut scope = Variables::new(Isolated);
    scope.set("sender.a", exports.to_value());
    scope.set("token", Secret::new("hunter2"));
    scope
}

fn scrape(text: &str) -> Result<Scrape, String> {
    let mut sources = SourceMap::new();
    let source = sources.add("t", text);
    let (file, diagnostics) = parse(&source);
    assert!(
        diagnostics.is_empty(),
        "{}",
        diag::render_all(&diagnostics, &sources)
    );
    decode(file.body().blocks().next().unwrap(), &scope()).map_err(|found: Vec<_>| {
        found.iter().fold(String::new(), |out, d| {
            let fix = d
                .suggestion()
                .map(|s| format!(" [{}]", s.replacement))
                .unwrap_or_default();
            out + &format!("{}: {}{fix}\n", source.position(d.span().start()), d.message())
        })
    })
}

#[test]
fn a_block_becomes_a_struct() {
    let scrape = scrape(
        r#"
prometheus.scrape "x" {
  targets         = [{"__address__" = "a:1", port = 80}]
  forward_to      = [sender.a.receiver]
  scrape_interval = "15s"
  body_size_limit = "1MiB"
  scheme          = "https"
  bearer_token    = token
  basic_auth {
    username = "me"
    password = "secret"
  }
  rule "one" {
    type    = "drop"
    modulus = "8"
  }
  rule "two" {
    type = "keep"
  }
  clustering {
    enabled = true
  }
}
"#,
    )
    .unwrap();
    assert_eq!(scrape.targets[0]["__address__"], "a:1");
    assert_eq!(scrape.targets[0]["port"], "80");
    assert_eq!(scrape.forward_to[0].0.0, 7);
    assert_eq!(scrape.scrape_interval, Duration::from_secs(15));
    assert_eq!(scrape.body_size_limit, Bytes(1 << 20));
    assert_eq!((scrape.honor_labels, scrape.job_name), (false, None));
    assert_eq!(scrape.scheme, Scheme::Https);
    assert!(scrape.client.follow_redirects);
    assert_eq!(scrape.client.bearer_token.unwrap().expose(), "hunter2");
    let auth = scrape.client.basic_auth.unwrap();
    assert_eq!((auth.username.as_str(), auth.password.expose()), ("me", "secret"));
    let rules: Vec<_> = scrape
        .rules
        .iter()
        .map(|r| (r.name.as_str(), r.r#type.as_str(), r.modulus))
        .collect();
    assert_eq!(rules, [("one", "drop", 8), ("two", "keep", 1)]);
    assert!(scrape.clustering.is_some_and(|clustering| clustering.enabled));
}

#[test]
fn everything_wrong_is_reported() {
    let found = scrape(
        r#"prometheus.scrape "x" {
  target          = []
  forward_to      = [sender.a.receiver, sender.a.count]
  scrape_interval = "15"
  scrape_interval = "15s"
  honor_labels    = 1
  job_name        = token
  scheme          = "htps"
  basic_auth "x" {
    username = sender.a.cont
  }
  clustering = true
  rule {
    type    = ["a"]
    modulus = 256
  }
  follow_redirects { }
  clusterin { }
}
"#,
    )
    .unwrap_err();
    let expected = r#"1:1: missing required attribute "targets"
2:3: unrecognized attribute name "target" [targets]
3:41: sender.a.count should be capsule("metrics.receiver"), got number
4:21: invalid duration "15": a unit is missing, such as "s"
5:3: attribute "scrape_interval" may only be provided once
6:21: expected bool, got number
7:21: secrets may not be converted into strings
8:21: unknown value "htps", expected one of "http", "https" ["https"]
9:3: missing required attribute "password"
9:14: block "basic_auth" does not support specifying labels
10:25: field "cont" does not exist [count]
12:3: "clustering" must be a block, but is used as an attribute
13:3: block "rule" requires non-empty label
14:15: expected string, got array
15:15: 256 is out of range: it must be from 0 to 255
17:3: "follow_redirects" must be an attribute, but is used as a block
18:3: unrecognized block name "clusterin" [clustering]
"#;
    assert_eq!(found, expected);
}

#[test]
fn what_the_struct_refuses_is_shown_at_the_field() {
    let found = scrape("s {\n targets = []\n forward_to = []\n scrape_timeout = \"2m\"\n}\n").unwrap_err();
    assert_eq!(found, "4:19: scrape_timeout is longer than scrape_interval\n");
}

#[test]
fn a_check_needs_no_names() {
    let mut sources = SourceMap::new();
    let source = sources.add(
        "t",
        "s {\n targets = unknown.thing\n forward_to = [unknown]\n scrape_interval = \"1x\"\n honor = true\n}\n",
    );
    let (file, _) = parse(&source);
    let found = check::<Scrape>(file.body().blocks().next().unwrap());
    let messages: Vec<&str> = found.iter().map(river_syntax::Diagnostic::message).collect();
    assert_eq!(
        messages,
        [
            "invalid duration \"1x\": unknown unit \"x\", expected one of ns, us, ms, s, m, h",
            "unrecognized attribute name \"honor\"",
        ]
    );
}

struct Types;

impl TypeScope for Types {
    fn type_of(&self, path: &[&str]) -> Option<(usize, Type)> {
        path.starts_with(&["sender", "a"]).then_some((2, Exports::TYPE))
    }
}

#[test]
fn a_check_with_types_looks_through_names() {
    let mut sources = SourceMap::new();
    let source = sources.add(
        "t",
        r#"s {
  targets         = array.concat([{a = "b"}], sender.a.count, unknown)
  forward_to      = [sender.a.receiver, sender.a.count, sender.a.reciever, unknown.x]
  scrape_interval = string.join([sender.a.count, "s"])
  scrape_timeout  = sender.a.count + "s"
  honor_labels    = constants.os == "linux"
  body_size_limit = sender.a.count * 1024
  job_name        = sys.env("JOB") + sender.a.receiver.name
  scheme          = string.to_lower(true)
}
"#,
    );
    let (file, _) = parse(&source);
    let found = check_types::<Scrape>(file.body().blocks().next().unwrap(), &Types);
    let messages: Vec<String> = found
        .iter()
        .map(|d| format!("{}: {}", source.position(d.span().start()), d.message()))
        .collect();
    assert_eq!(
        messages,
        [
            "2:47: sender.a.count should be list(any), got number",
            "3:41: sender.a.count should be capsule(\"metrics.receiver\"), got number",
            "3:66: field \"reciever\" does not exist",
            "4:21: string.join: expected 2 args, got 1",
            "5:21: operator + needs two numbers or two strings, got number and string",
            "8:56: cannot access field \"name\" of sender.a.receiver: it is of type capsule(\"metrics.receiver\")",
            "9:37: expected string, got bool",
        ]
    );
}

/// Neither of its numbers may be larger than the other says.
#[derive(Block, Debug)]
#[river(validate = check_bounds)]
struct Bounds {
    to: Vec<CapsuleOf<Receiver>>,
    least: u8,
    most: u8,
}

fn check_bounds(bounds: &Bounds) -> Result<(), Invalid> {
    if bounds.least > bounds.most {
        return Err(Invalid::field("most", "most must not be less than least"));
    }
    Ok(())
}

#[test]
fn rules_are_checked_without_the_values_of_capsules() {
    let found = |text: &str| {
        let mut sources = SourceMap::new();
        let (file, _) = parse(&sources.add("t", text));
        let (value, found) = check_value::<Bounds>(file.body().blocks().next().unwrap(), &Types);
        let messages: Vec<String> = found.iter().map(ToString::to_string).collect();
        (value.is_some_and(|bounds| bounds.to.is_empty()), messages)
    };
    let wrong = "most must not be less than least".to_owned();
    let text = "b { \n to = [some.receiver]\n least = 2\n most = 1\n}";
    assert_eq!(found(text), (false, vec![wrong]));
    assert_eq!(found(&text.replace("= 1", "= 2")), (true, Vec::new()));
    assert_eq!(found(&text.replace("= 1", "= some.number")), (false, Vec::new()));
    // What does not fit hides the rule: it may be what is wrong.
    let (whole, messages) = found(&text.replace("[some.receiver]", "1 + 1"));
    assert!(
        !whole && messages.len() == 1 && messages[0].contains("number"),
        "{messages:?}"
    );
}

#[test]
fn the_shape_tells_all() {
    let shape = Scrape::shape();
    assert_eq!(shape.docs, "Scrapes targets.\n\nAnd sends what they say on.");
    let described: Vec<String> = shape
        .fields()
        .map(|field| {
            let kind = match field.kind {
                ShapeKind::Attribute(ty) => ty.to_string(),
                ShapeKind::Block { repeated, .. } => if repeated { "blocks" } else { "block" }.to_owned(),
                ShapeKind::Flatten(_) => unreachable!(),
            };
            let default = field.default.map(|default| default()).unwrap_or_default();
            format!(
                "{}{} {kind} {default}",
                field.name,
                if field.required { "*" } else { "" }
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            "targets* list(map(string)) ",
            "forward_to* list(capsule(\"metrics.receiver\")) ",
            "scrape_interval duration \"1m\"",
            "scrape_timeout duration \"10s\"",
            "honor_labels bool false",
            "body_size_limit byte size no limit",
            "job_name string ",
            "scheme string \"http\"",
            "bearer_token secret ",
            "follow_redirects bool true",
            "basic_auth block ",
            "rule blocks ",
            "clustering block ",
        ]
    );
    assert_eq!(shape.field("targets").unwrap().docs, "What to scrape.");
    assert_eq!(
        shape
            .block("rule")
            .unwrap()
            .field("modulus")
            .unwrap()
            .default
            .unwrap()(),
        "1"
    );
}

#[test]
fn exports_have_a_static_type() {
    assert_eq!(
        Exports::TYPE.field("receiver"),
        Some(<Receiver as CapsuleType>::TYPE)
    );
    assert_eq!(Exports::TYPE.field("count"), Some(Type::Number));
    assert_eq!(Exports::TYPE.field("number"), None);
}

#[test]
fn nulls_are_zero_values() {
    let scrape =
        scrape("s {\n targets = null\n forward_to = null\n job_name = null\n scrape_timeout = null\n}\n")
            .unwrap();
    assert!(scrape.targets.is_empty());
    assert_eq!(scrape.job_name, None);
    assert_eq!(scrape.scrape_timeout, Duration::ZERO);
}

/// What a value becomes, or why it does not.
fn converted<T: FromValue + ToValue>(value: impl Into<Value>) -> String {
    match T::from_value(&value.into()) {
        Ok(value) => value.to_value().to_string(),
        Err(mismatch) => mismatch.to_string(),
    }
}

#[test]
fn texts_and_numbers_convert_and_bools_do_not() {
    assert_eq!(converted::<String>(1e21), "\"1000000000000000000000\"");
    assert_eq!(converted::<String>(0.000_000_1), "\"0.0000001\"");
    assert_eq!(converted::<String>(u64::MAX), "\"18446744073709551615\"");
    assert_eq!(converted::<String>(true), "expected string, got bool");
    assert_eq!(converted::<i64>("-5"), "-5");
    assert_eq!(converted::<u64>("18446744073709551615"), "18446744073709551615");
    assert_eq!(converted::<f64>("1.5e3"), "1500");
    assert_eq!(converted::<i64>("2.9"), "2");
    for text in ["", "+5", " 5", "5s", "0x10", "1_000", "-", ".", "e", "inf"] {
        assert_eq!(converted::<f64>(text), "expected number, got string", "{text:?}");
    }
    assert_eq!(converted::<bool>("true"), "expected bool, got string");
    assert_eq!(converted::<bool>(1_i64), "expected bool, got number");
    assert_eq!(
        converted::<u8>(256_i64),
        "256 is out of range: it must be from 0 to 255"
    );
    assert_eq!(converted::<i64>(2.9), "2");
    assert_eq!(converted::<Bytes>("1KiB"), converted::<Bytes>(1024_i64));
    assert_eq!(converted::<Duration>("1m30s"), "\"1m30s\"");
    for text in ["", "30", "1d", "1w", "1 s", "s"] {
        assert!(
            converted::<Duration>(text).starts_with("invalid duration"),
            "{text:?}"
        );
    }
}

#[test]
fn secrets_come_out_as_secrets_only() {
    let secret = || Value::Secret(Secret::new("hunter2"));
    let plain = || Value::OptionalSecret(OptionalSecret::plain("seen"));
    let kept = || Value::OptionalSecret(OptionalSecret::secret("hunter2"));
    let refused = "secrets may not be converted into strings";
    for value in [secret(), kept()] {
        assert_eq!(converted::<String>(value.clone()), refused);
        assert_eq!(converted::<Secret>(value.clone()), "(secret)");
        assert_eq!(converted::<OptionalSecret>(value.clone()), "(secret)");
        for found in [
            converted::<Duration>(value.clone()),
            converted::<Bytes>(value.clone()),
            converted::<f64>(value.clone()),
            converted::<std::path::PathBuf>(value.clone()),
            converted::<Arc<str>>(value),
        ] {
            assert!(!found.contains("hunter2"), "{found}");
            assert!(found.contains("secret") || found.contains("expected"), "{found}");
        }
    }
    assert_eq!(converted::<String>(plain()), "\"seen\"");
    assert_eq!(converted::<OptionalSecret>(plain()), "\"seen\"");
    assert_eq!(converted::<Secret>("text"), "(secret)");
    assert_eq!(converted::<OptionalSecret>("text"), "\"text\"");
    assert_eq!(converted::<Secret>(1_i64), "expected secret, got number");
}
