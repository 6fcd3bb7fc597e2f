//! TestRemoteWrite1Compatibility: with 1.0 configured nothing of 2.0 is on the wire.

use remote_write::Version;
use remote_write::proto::WriteRequest;

use prost::Message;

use super::pushed::NOW;
use super::{OK, Receiver, endpoint_of, sent, writer};
use crate::versions::everything;
use ferroalloy_model::Receiver as _;

#[tokio::test]
async fn headers_are_those_of_1_0() {
    let request = sent(Version::V1, &everything(3, NOW)).await;
    for (name, value) in [
        ("content-encoding", "snappy"),
        ("content-type", "application/x-protobuf"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ] {
        assert_eq!(request.header(name), value);
    }
}

#[tokio::test]
async fn the_message_has_no_field_that_1_0_does_not_have() {
    let mut receiver = Receiver::start(|_| OK).await;
    let writer = writer([endpoint_of(Version::V1, &receiver.url())]);
    drop(writer.accept(&everything(3, NOW)));
    let received = receiver.next().await;
    let message = snap::raw::Decoder::new().decompress_vec(&received.body).unwrap();
    let read = WriteRequest::decode(&*message).unwrap();
    // A field that is not known would be lost when it is written again; a start time would be there.
    assert_eq!(read.encode_to_vec(), message);
    assert!(
        read.timeseries
            .iter()
            .flat_map(|series| &series.histograms)
            .all(|histogram| histogram.start_timestamp == 0 && histogram.custom_values.is_empty())
    );
    assert_eq!(read.metadata, [], "metadata comes in requests of its own");
}
