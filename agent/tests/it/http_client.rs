//! The arguments of every HTTP client, in the components that have them.

use hyper::StatusCode;

use crate::cli::{ferroalloy, stderr};
use crate::support::{Agent, Sink, reply, serve};

/// Hosts that are only there for the proxy, and a receiver that wants a token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_a_proxy_and_with_tokens() {
    let mut sink = Sink::start().await;
    let proxy = serve(|parts, _| {
        let host = parts.uri.host().unwrap_or_default();
        match (host, parts.uri.path()) {
            ("target.example", "/metrics") => reply(StatusCode::OK, "there 1\n"),
            ("id.example", "/token") => reply(StatusCode::OK, r#"{"access_token":"t1","expires_in":60}"#),
            _ => reply(StatusCode::BAD_GATEWAY, format!("asked for {}", parts.uri)),
        }
    })
    .await;
    let agent = Agent::start(&format!(
        r#"
prometheus.scrape "far" {{
  targets         = [{{ __address__ = "target.example" }}]
  forward_to      = [prometheus.remote_write.sink.receiver]
  scrape_interval = "100ms"
  scrape_timeout  = "100ms"
  proxy_url       = "http://u:p@{proxy}"
  no_proxy        = "10.0.0.0/8"
}}
prometheus.remote_write "sink" {{
  endpoint {{
    url = "{}"
    oauth2 {{
      client_id     = "ann"
      client_secret = "secret"
      scopes        = ["write"]
      token_url     = "http://id.example/token"
      proxy_url     = "http://{proxy}"
    }}
    queue_config {{
      batch_send_deadline = "20ms"
    }}
  }}
}}
"#,
        sink.url()
    ))
    .await;
    let (headers, samples) = sink.next().await;
    assert_eq!(headers["authorization"], "Bearer t1");
    assert!(
        samples.iter().any(|sample| sample.series.starts_with("there{")),
        "{samples:?}"
    );
    agent.app.shutdown().await;
}

#[test]
fn options_that_exclude_each_other_are_told() {
    for (arguments, expected) in [
        (
            "no_proxy = \"h\"",
            "if no_proxy is configured, proxy_url must also be configured",
        ),
        (
            "proxy_url = \"http://h\"\n  proxy_from_environment = true",
            "if proxy_from_environment is configured, proxy_url must not be configured",
        ),
        (
            "proxy_url = \"socks5://h\"",
            "not a URL: it must begin with http:// or https://",
        ),
        (
            "oauth2 {\n    client_id = \"ann\"\n  }",
            "oauth2 token_url must be configured",
        ),
        (
            "bearer_token = \"t\"\n  oauth2 {\n    client_id = \"ann\"\n    token_url = \"http://h\"\n  }",
            "at most one of basic_auth, authorization, oauth2, bearer_token and bearer_token_file must be configured",
        ),
    ] {
        refused(
            &format!("prometheus.scrape \"s\" {{\n  targets = []\n  forward_to = []\n  {arguments}\n}}\n"),
            expected,
        );
    }
}

#[test]
fn credentials_of_clouds_are_refused_by_name() {
    for (block, expected) in [
        (
            "azuread {\n      cloud = \"AzurePublic\"\n      oauth {\n        client_id = \"c\"\n        client_secret = \"s\"\n        \
             tenant_id = \"t\"\n      }\n    }",
            "azuread: credentials of Azure AD are not supported",
        ),
        (
            "azuread {\n      managed_identity {\n        client_id = \"c\"\n      }\n    }",
            "azuread: credentials of Azure AD are not supported",
        ),
        (
            "google_iam {\n      credentials_file = \"/c\"\n    }",
            "google_iam: credentials of Google IAM are not supported",
        ),
        (
            "sigv4 {\n      region = \"r\"\n      role_arn = \"arn:aws:iam::1:role/r\"\n    }",
            "sigv4: role_arn, external_id and use_fips_sts_endpoint are not supported",
        ),
        (
            "sigv4 {\n      region = \"r\"\n    }\n    bearer_token = \"t\"",
            "at most one of sigv4, basic_auth, authorization, oauth2, bearer_token and bearer_token_file must be configured",
        ),
    ] {
        let text = format!(
            "prometheus.remote_write \"w\" {{\n  endpoint {{\n    url = \"http://h/\"\n    {block}\n  }}\n}}\n"
        );
        refused(&text, expected);
    }
}

/// That `validate` refuses a configuration with these words and no others.
fn refused(text: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    std::fs::write(&path, text).unwrap();
    let output = ferroalloy(&["validate", path.to_str().unwrap()], None);
    assert_eq!(output.status.code(), Some(1));
    let errors = stderr(&output);
    assert!(errors.contains(expected), "{errors}");
    // The last one says that validation failed.
    assert_eq!(errors.matches("Error:").count(), 2, "{errors}");
}
