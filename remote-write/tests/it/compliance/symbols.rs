//! TestSymbolTable, TestSymbolTableEfficiency.
//!
//! That the first symbol is empty, that none comes twice, and that references come in pairs and exist, is asked of every request by
//! [`super::wire`].

use remote_write::Version;

use super::pushed::{NOW, Pushed};
use super::sent;

#[tokio::test]
async fn string_deduplication() {
    let mut pushed = Pushed::new();
    // Names that are values too, and pairs that share either half.
    let a = pushed.series(&[("__name__", "m"), ("a", "b"), ("b", "a")]);
    let b = pushed.series(&[("__name__", "m"), ("a", "m"), ("b", "b")]);
    let request = sent(
        Version::V2,
        &pushed.sample(a, NOW, 1.0).sample(b, NOW, 2.0).batch(),
    )
    .await;
    assert_eq!(request.symbols.len(), 5, "{:?}", request.symbols);
    assert_eq!(request.series.len(), 2);
    assert_eq!(request.series[1].label("a"), Some("m"));
}

#[tokio::test]
async fn symbol_table_efficiency() {
    // 100 series of five labels need no more symbols than there are strings.
    let mut pushed = Pushed::new();
    let slots: Vec<u32> = (0..100)
        .map(|n: u32| {
            let (code, path) = ((200 + n % 5).to_string(), format!("/{}", n / 5));
            pushed.series(&[
                ("__name__", "http_requests_total"),
                ("code", &code),
                ("instance", "h:1"),
                ("job", "test"),
                ("path", &path),
            ])
        })
        .collect();
    let batch = slots
        .into_iter()
        .fold(pushed, |pushed, slot| pushed.sample(slot, NOW, 1.0))
        .batch();
    let request = sent(Version::V2, &batch).await;
    assert_eq!(request.symbols.len(), 1 + 5 + 3 + 5 + 20);
}

#[tokio::test]
async fn each_request_has_symbols_of_its_own() {
    let first = sent(Version::V2, &super::pushed::one("first", 1.0)).await;
    assert!(first.symbols.contains(&"first".to_owned()));
    let second = sent(Version::V2, &super::pushed::one("second", 1.0)).await;
    assert!(
        !second.symbols.contains(&"first".to_owned()),
        "{:?}",
        second.symbols
    );
}
