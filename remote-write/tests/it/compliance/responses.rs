//! TestResponseProcessing: what a receiver says it wrote is believed, within reason.

use ferroalloy_model::Receiver as _;
use remote_write::{Status, Version, Writer};

use super::{endpoint_of, writer};
use crate::receiver::{Answer, Receiver};
use crate::versions::everything;
use crate::{metric, status_when};

async fn answered(answer: fn() -> Answer) -> (Writer, Receiver) {
    let mut receiver = Receiver::start(move |_| answer()).await;
    let writer = writer([endpoint_of(Version::V2, &receiver.url())]);
    drop(writer.accept(&everything(3, 100_000)));
    receiver.next().await;
    (writer, receiver)
}

async fn delivered(writer: &Writer, samples: f64) -> Status {
    while metric(writer, "remote_write_samples_delivered_total", "") < samples {
        tokio::task::yield_now().await;
    }
    writer.status().remove(0)
}

#[tokio::test]
async fn all_written() {
    let (writer, receiver) = answered(|| super::ALL_WRITTEN).await;
    let status = delivered(&writer, 2.0).await;
    assert_eq!(status.last_refusal, None);
    assert_eq!(
        metric(&writer, "remote_write_samples_delivered_total", ""),
        2.0,
        "not more than was sent"
    );
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn one_header_is_enough_and_the_others_are_zero() {
    let (writer, receiver) =
        answered(|| Answer::Status(200, "X-Prometheus-Remote-Write-Histograms-Written: 1\r\n", "")).await;
    let status = status_when(&writer, |status| status.last_refusal.is_some()).await;
    assert_eq!(status.last_refusal.unwrap().samples, 1);
    assert_eq!(
        metric(&writer, "prometheus_remote_storage_samples_failed_total", ""),
        1.0
    );
    assert_eq!(
        metric(&writer, "prometheus_remote_storage_histograms_failed_total", ""),
        0.0
    );
    assert!(receiver.is_quiet(), "and it is not sent again");
}

#[tokio::test]
async fn nothing_written_of_a_2xx_is_a_loss_and_no_fallback() {
    let (writer, receiver) = answered(|| {
        Answer::Status(
            204,
            "X-Prometheus-Remote-Write-Samples-Written: 0\r\nX-Prometheus-Remote-Write-Histograms-Written: 0\r\n",
            "",
        )
    })
    .await;
    let status = status_when(&writer, |status| status.last_refusal.is_some()).await;
    assert_eq!(status.last_refusal.unwrap().samples, 2);
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn counts_come_with_errors_too() {
    let (writer, _receiver) = answered(|| {
        Answer::Status(
            400,
            "X-Prometheus-Remote-Write-Samples-Written: 1\r\n",
            "histogram out of order",
        )
    })
    .await;
    let refusal = status_when(&writer, |status| status.last_refusal.is_some())
        .await
        .last_refusal
        .unwrap();
    assert_eq!((refusal.status, refusal.samples), (400, 1));
    assert!(
        refusal.reason.contains(": histogram out of order — "),
        "{}",
        refusal.reason
    );
    assert_eq!(metric(&writer, "remote_write_samples_delivered_total", ""), 1.0);
}

#[tokio::test]
async fn the_body_of_a_success_is_ignored() {
    let (writer, receiver) = answered(|| {
        Answer::Status(
            200,
            "X-Prometheus-Remote-Write-Samples-Written: 1\r\n\
             X-Prometheus-Remote-Write-Histograms-Written: 1\r\n\
             X-Prometheus-Remote-Write-Exemplars-Written: 1\r\n",
            "\u{0}garbage that nobody asked for",
        )
    })
    .await;
    assert_eq!(delivered(&writer, 2.0).await.last_refusal, None);
    assert!(receiver.is_quiet());
}
