//! A change of configuration touches what changed, and loses nothing.

use ferroalloy_model::{Labels, Receiver as _, Reconfigured};
use remote_write::Version;

use crate::receiver::{Answer, OK, Receiver};
use crate::source::Source;
use crate::{config, endpoint, failing, writer};

#[tokio::test]
async fn an_endpoint_that_moves_keeps_its_backlog() {
    let old = Receiver::start(|_| Answer::Status(503, "", "moving house")).await;
    let mut new = Receiver::start(|_| OK).await;
    let mut moving = endpoint(&old.url());
    moving.name = Some("home".into());
    let writer = writer([moving.clone()]);
    let source = Source::new("m", 1);
    drop(writer.accept(&source.at(1)));
    failing(&writer).await;
    drop(writer.accept(&source.at(2)));
    moving.url = new.url();
    assert_eq!(writer.reconfigure(config([moving])).unwrap(), Reconfigured::Kept);
    assert_eq!(new.next().await.timestamps(), [1]);
    assert_eq!(new.next().await.timestamps(), [2]);
}

#[tokio::test]
async fn what_did_not_change_does_not_notice() {
    let mut kept = Receiver::start(|_| OK).await;
    let mut added = Receiver::start(|_| OK).await;
    let writer = writer([endpoint(&kept.url())]);
    let source = Source::new("m", 1);
    drop(writer.accept(&source.at(1)));
    kept.next().await;
    let _kept = writer
        .reconfigure(config([endpoint(&added.url()), endpoint(&kept.url())]))
        .unwrap();
    drop(writer.accept(&source.at(2)));
    let request = kept.next().await;
    assert_eq!((request.connection, request.timestamps()), (0, vec![2]));
    assert_eq!(
        added.next().await.timestamps(),
        [2],
        "a new endpoint begins with what comes after it"
    );
    assert_eq!(writer.status().len(), 2);
}

#[tokio::test]
async fn new_labels_are_on_what_is_sent_from_then_on() {
    let mut receiver = Receiver::start(|_| OK).await;
    let writer = writer([endpoint(&receiver.url())]);
    let source = Source::new("m", 1);
    for (cluster, timestamp) in [("one", 1), ("two", 2)] {
        let mut config = config([endpoint(&receiver.url())]);
        config.external_labels = Labels::from_pairs([("cluster", cluster)]);
        let _kept = writer.reconfigure(config).unwrap();
        drop(writer.accept(&source.at(timestamp)));
        let request = receiver.next().await;
        assert_eq!(request.message().timeseries[0].labels[1].value, cluster);
        assert_eq!(request.connection, 0, "the connection is kept");
    }
}

#[tokio::test]
async fn a_wrong_configuration_changes_nothing() {
    let mut receiver = Receiver::start(|_| OK).await;
    let writer = writer([endpoint(&receiver.url())]);
    let error = writer.reconfigure(config([endpoint("nonsense:")])).unwrap_err();
    assert!(error.is_config(), "{error}");
    drop(writer.accept(&Source::new("m", 1).at(1)));
    receiver.next().await;
}

#[tokio::test]
async fn a_new_url_is_asked_which_version_it_speaks() {
    let mut old = Receiver::start(|received| {
        if received.is_v2() {
            Answer::Status(415, "", "")
        } else {
            OK
        }
    })
    .await;
    let mut new =
        Receiver::start(|_| Answer::Status(204, "X-Prometheus-Remote-Write-Samples-Written: 1\r\n", ""))
            .await;
    let mut moving = endpoint(&old.url());
    moving.name = Some("home".into());
    moving.version = Version::V2;
    let writer = writer([moving.clone()]);
    let source = Source::new("m", 1);
    drop(writer.accept(&source.at(1)));
    assert!(old.next().await.is_v2());
    assert!(!old.next().await.is_v2());
    moving.url = new.url();
    let _kept = writer.reconfigure(config([moving])).unwrap();
    drop(writer.accept(&source.at(2)));
    assert!(new.next().await.is_v2());
}
