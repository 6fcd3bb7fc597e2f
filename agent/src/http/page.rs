//! The first page: what this host says of itself, and every component with its health. It is whole without a
//! script; the script only fetches it again every few seconds.

mod figures;
mod html;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use ferroalloy_model::families::FamilyRef;

use crate::app::Shared;
use crate::controller::ComponentView;
use crate::health::Time;
use crate::in_process::{Seen, Snapshot};
use html::{Escaped, Page};

pub(super) async fn overview(State(shared): State<Arc<Shared>>) -> Html<String> {
    let mut page = Page::new("Ferroalloy");
    page.put(format_args!(
        "<p class=\"sub\">{} on {}, since {}</p>",
        Escaped(&shared.host.user_agent),
        Escaped(&shared.host.hostname),
        Time(shared.host.own_metrics.start_time),
    ));
    let mut exporters: Vec<(String, Seen)> = shared
        .in_process()
        .all()
        .into_iter()
        .map(|(path, exporter)| (path, exporter.seen()))
        .collect();
    // What tells of a host comes before what tells of this program.
    exporters.sort_by_key(|(_, seen)| figures::of(seen).is_empty());
    for (path, seen) in exporters {
        host(&mut page, &path, &seen);
    }
    components(&mut page, &shared.controller.components());
    page.put(format_args!(
        "<p class=\"sub\"><a href=\"metrics\">own metrics</a> · <a href=\"api/v0/web/components\">components as JSON</a></p>"
    ));
    Html(page.finish())
}

fn host(page: &mut Page, path: &str, seen: &Seen) {
    let id = path
        .trim_start_matches("/api/v0/component/")
        .trim_end_matches("/metrics");
    page.put(format_args!(
        "<h2><a href=\"{}\">{}</a></h2>",
        Escaped(&path[1..]),
        Escaped(id)
    ));
    let Some(Snapshot { at, families }) = &seen.latest else {
        page.put(format_args!("<p>not scraped yet</p>"));
        return;
    };
    let figures = figures::of(seen);
    if !figures.is_empty() {
        page.put(format_args!("<dl class=\"figures\">"));
        for figure in figures {
            page.put(format_args!(
                "<div><dt>{}</dt><dd>{}</dd></div>",
                Escaped(&figure.name),
                Escaped(&figure.value)
            ));
        }
        page.put(format_args!("</dl>"));
    }
    page.put(format_args!(
        "<details id=\"{}\"><summary>{} series at {}</summary><table><tbody>",
        Escaped(id),
        families.sample_count(),
        Time(*at)
    ));
    for sample in families.sorted().into_iter().flat_map(FamilyRef::samples) {
        let labels: Vec<String> = sample
            .labels()
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        page.put(format_args!(
            "<tr><td>{}<span class=\"labels\">{}</span></td><td class=\"number\">{}</td></tr>",
            Escaped(sample.name()),
            Escaped(&if labels.is_empty() {
                String::new()
            } else {
                format!("{{{}}}", labels.join(", "))
            }),
            sample.value()
        ));
    }
    page.put(format_args!("</tbody></table></details>"));
}

fn components(page: &mut Page, components: &[ComponentView]) {
    page.put(format_args!(
        "<h2>Components</h2><table><thead><tr><th>health</th><th>component</th><th></th></tr></thead><tbody>"
    ));
    for component in components {
        let state = component.health.state.name();
        page.put(format_args!(
            "<tr><td><span class=\"badge {state}\">{state}</span></td><td><a href=\"component/{0}\">{0}</a></td><td>{1}</td></tr>",
            Escaped(&component.id),
            Escaped(&component.health.message),
        ));
    }
    page.put(format_args!("</tbody></table>"));
}

pub(super) async fn component(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let Some(detail) = shared.controller.component(&id) else {
        return (
            StatusCode::NOT_FOUND,
            format!("component {id:?} does not exist\n"),
        )
            .into_response();
    };
    let component = &detail.component;
    let mut page = Page::below(&component.id);
    let health = &component.health;
    page.put(format_args!(
        "<p><span class=\"badge {0}\">{0}</span> {1} <span class=\"sub\">since {2}</span></p>",
        health.state.name(),
        Escaped(&health.message),
        health.since
    ));
    for (title, ids) in [
        ("Refers to", &component.references_to),
        ("Referred to by", &component.referenced_by),
    ] {
        if ids.is_empty() {
            continue;
        }
        page.put(format_args!("<h2>{title}</h2><ul>"));
        for id in ids {
            page.put(format_args!("<li><a href=\"{0}\">{0}</a></li>", Escaped(id)));
        }
        page.put(format_args!("</ul>"));
    }
    if !detail.details.rows.is_empty() {
        page.put(format_args!("<h2>Details</h2><table><thead><tr>"));
        for column in &detail.details.columns {
            page.put(format_args!("<th>{}</th>", Escaped(column)));
        }
        page.put(format_args!("</tr></thead><tbody>"));
        for row in &detail.details.rows {
            page.put(format_args!("<tr>"));
            for cell in row {
                page.put(format_args!("<td>{}</td>", Escaped(cell)));
            }
            page.put(format_args!("</tr>"));
        }
        page.put(format_args!("</tbody></table>"));
    }
    page.put(format_args!(
        "<h2>Exports</h2><pre>{}</pre>",
        Escaped(&detail.exports_text)
    ));
    Html(page.finish()).into_response()
}

pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("page/style.css"))
}

pub(super) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("page/page.js"))
}

fn asset(content_type: &'static str, body: &'static str) -> Response {
    let mut response = body.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    response
}
