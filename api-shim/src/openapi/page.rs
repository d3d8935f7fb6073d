//! The document as a page for people: one file, no script, nothing from elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::markup::{escape, items, kind, members, prose, text};

const STYLE: &str = include_str!("page.css");

/// The page, and the policy that lets a browser take its own style and nothing else.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) html: String,
    pub(super) policy: String,
}

impl Page {
    /// The page of a document.
    pub(super) fn of(document: &Value) -> Self {
        let style = STANDARD.encode(Sha256::digest(STYLE));
        let mut writer = Writer {
            document,
            html: String::with_capacity(256 * 1024),
        };
        writer.page();
        Self {
            html: writer.html,
            policy: format!(
                "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'"
            ),
        }
    }
}

struct Writer<'a> {
    document: &'a Value,
    html: String,
}

/// An operation with its place.
struct Entry<'a> {
    method: &'a str,
    path: &'a str,
    operation: &'a Value,
}

impl<'a> Writer<'a> {
    fn page(&mut self) {
        let info = &self.document["info"];
        let (title, version) = (escape(text(&info["title"])), escape(text(&info["version"])));
        self.add(&format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title} API</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<div class=\"page\">\n\
             <nav aria-label=\"Operations\">\n<a class=\"title\" href=\"#top\">{title} API</a>\n\
             <p class=\"version\">{version} · <a href=\"/openapi.json\">openapi.json</a></p>\n"
        ));
        let groups = self.groups();
        for (tag, entries) in &groups {
            self.add(&format!("<h2>{}</h2>\n<ul>\n", escape(text(&tag["name"]))));
            for entry in entries {
                let (id, summary) = (
                    escape(text(&entry.operation["operationId"])),
                    escape(text(&entry.operation["summary"])),
                );
                let method = badge(entry.method);
                self.add(&format!(
                    "<li><a href=\"#{id}\">{method}<span>{summary}</span></a></li>\n"
                ));
            }
            self.add("</ul>\n");
        }
        self.add("<h2>More</h2>\n<ul>\n<li><a href=\"#credentials\">Credentials</a></li>\n\
                  <li><a href=\"#forms\">Forms of JSON</a></li>\n</ul>\n</nav>\n<main id=\"top\">\n");
        let summary = escape(text(&info["summary"]));
        self.add(&format!(
            "<h1>{title} API</h1>\n<p class=\"lead\">{summary}</p>\n"
        ));
        self.add(&prose(text(&info["description"])));
        for (tag, entries) in &groups {
            let (name, about) = (escape(text(&tag["name"])), prose(text(&tag["description"])));
            self.add(&format!("<h2>{name}</h2>\n{about}"));
            for entry in entries {
                self.operation(entry);
            }
        }
        self.credentials();
        self.forms();
        self.add("</main>\n</div>\n</body>\n</html>\n");
    }

    /// The operations by their tags, in the order of the tags; within one by path and method.
    fn groups(&self) -> Vec<(&'a Value, Vec<Entry<'a>>)> {
        let document = self.document;
        let all = || {
            members(&document["paths"]).flat_map(|(path, methods)| {
                members(methods).map(|(method, operation)| Entry {
                    method: method.as_str(),
                    path: path.as_str(),
                    operation,
                })
            })
        };
        let tags = items(&document["tags"]);
        tags.map(|tag| {
            let mut entries: Vec<_> = all()
                .filter(|entry| entry.operation["tags"][0] == tag["name"])
                .collect();
            let rank = |method: &str| {
                ["post", "get", "patch", "put", "delete"]
                    .iter()
                    .position(|m| *m == method)
            };
            entries.sort_by_key(|entry| (entry.path, rank(entry.method)));
            (tag, entries)
        })
        .collect()
    }

    fn operation(&mut self, entry: &Entry<'_>) {
        let Entry {
            method,
            path,
            operation,
        } = entry;
        let (id, summary) = (
            escape(text(&operation["operationId"])),
            escape(text(&operation["summary"])),
        );
        let scope = operation["security"][0]
            .as_object()
            .and_then(|scheme| scheme.values().next()?[0].as_str());
        let scope = match scope {
            Some(scope) => format!("scope <code>{}</code>", escape(scope)),
            None => "no credential".to_owned(),
        };
        self.add(&format!(
            "<article id=\"{id}\">\n<h3>{summary}</h3>\n<div class=\"line\">{}<span class=\"path\">{}</span>\
             <span class=\"scope\">{scope}</span></div>\n{}",
            badge(method),
            escape(path),
            prose(text(&operation["description"]))
        ));
        self.parameters(&operation["parameters"]);
        if let Some(body) = operation.get("requestBody") {
            self.add("<h4>Body</h4>\n");
            self.contents(&body["content"]);
        }
        self.responses(&operation["responses"]);
        self.add("</article>\n");
    }

    fn parameters(&mut self, parameters: &Value) {
        if items(parameters).next().is_none() {
            return;
        }
        self.add("<h4>Parameters</h4>\n<div class=\"wide\"><table>\n");
        for parameter in items(parameters) {
            let must = if parameter["required"] == true {
                " <span class=\"must\">required</span>"
            } else {
                ""
            };
            let (name, place) = (
                escape(text(&parameter["name"])),
                escape(text(&parameter["in"])),
            );
            let row = format!(
                "<tr><th><code>{name}</code>{must}<br><span class=\"kind\">{place}, {}</span></th><td>{}</td></tr>\n",
                kind(&parameter["schema"]),
                prose(text(&parameter["description"]))
            );
            self.add(&row);
        }
        self.add("</table></div>\n");
    }

    /// Media types with their schemas and examples.
    fn contents(&mut self, contents: &Value) {
        for (media_type, media) in members(contents) {
            let line = format!(
                "<p><code>{}</code> {}</p>\n",
                escape(media_type),
                kind(&media["schema"])
            );
            self.add(&line);
            for (name, example) in members(&media["examples"]) {
                let json = serde_json::to_string_pretty(&example["value"]).unwrap_or_default();
                let example = format!(
                    "<details><summary>Example: {}</summary><pre>{}</pre></details>\n",
                    escape(name),
                    escape(&json)
                );
                self.add(&example);
            }
        }
    }

    fn responses(&mut self, responses: &Value) {
        self.add("<h4>Answers</h4>\n<div class=\"wide\"><table>\n");
        for (status, response) in members(responses) {
            let response = self.resolve(response);
            let class = if status.starts_with(['4', '5']) {
                "bad"
            } else {
                "good"
            };
            let row = format!("<tr class=\"{class}\"><th>{}</th><td>", escape(status));
            self.add(&row);
            self.add(&prose(text(&response["description"])));
            let headers: Vec<_> = members(&response["headers"])
                .map(|(name, _)| name.as_str())
                .filter(|name| *name != "X-Request-Id")
                .map(|name| format!("<code>{}</code>", escape(name)))
                .collect();
            if !headers.is_empty() {
                let line = format!("<p class=\"kind\">Headers: {}</p>\n", headers.join(" "));
                self.add(&line);
            }
            // Examples of problems say no more than the text.
            if class == "good" {
                self.contents(&response["content"]);
            } else {
                let types: Vec<_> = members(&response["content"])
                    .map(|(name, _)| format!("<code>{}</code>", escape(name)))
                    .collect();
                let line = format!("<p class=\"kind\">{}</p>\n", types.join(" "));
                self.add(&line);
            }
            self.add("</td></tr>\n");
        }
        self.add("</table></div>\n");
    }

    fn credentials(&mut self) {
        self.add("<h2 id=\"credentials\">Credentials</h2>\n<div class=\"wide\"><table>\n");
        let schemes = &self.document["components"]["securitySchemes"];
        for (name, scheme) in members(schemes) {
            let how = match scheme["name"].as_str() {
                Some(field) => format!(
                    "{} <code>{}</code>",
                    escape(text(&scheme["in"])),
                    escape(field)
                ),
                None => "header <code>Authorization: Bearer</code>".to_owned(),
            };
            let row = format!(
                "<tr><th>{}<br><span class=\"kind\">{how}</span></th><td>{}</td></tr>\n",
                escape(name),
                prose(text(&scheme["description"]))
            );
            self.add(&row);
        }
        self.add("</table></div>\n");
    }

    fn forms(&mut self) {
        self.add("<h2 id=\"forms\">Forms of JSON</h2>\n");
        let schemas = &self.document["components"]["schemas"];
        for (name, schema) in members(schemas) {
            let name = escape(name);
            let head = format!(
                "<article id=\"form-{name}\">\n<h3>{name}</h3>\n{}",
                prose(text(&schema["description"]))
            );
            self.add(&head);
            if schema["properties"].is_object() {
                self.properties(schema);
            } else {
                let choices = items(&schema["oneOf"]).chain(items(&schema["anyOf"]));
                let choices: Vec<_> = choices
                    .map(|choice| {
                        let about = escape(text(&choice["description"]));
                        format!("<tr><th>{}</th><td>{about}</td></tr>\n", kind(choice))
                    })
                    .collect();
                if choices.is_empty() {
                    let line = format!("<p>{}</p>\n", kind(schema));
                    self.add(&line);
                } else {
                    self.add("<div class=\"wide\"><table>\n");
                    self.add(&choices.concat());
                    self.add("</table></div>\n");
                }
            }
            self.add("</article>\n");
        }
    }

    fn properties(&mut self, schema: &Value) {
        self.add("<div class=\"wide\"><table>\n");
        for (name, property) in members(&schema["properties"]) {
            let must = items(&schema["required"]).any(|required| required == name);
            let must = if must {
                " <span class=\"must\">always</span>"
            } else {
                ""
            };
            let row = format!(
                "<tr><th><code>{}</code>{must}<br><span class=\"kind\">{}</span></th><td>{}</td></tr>\n",
                escape(name),
                kind(property),
                prose(text(&property["description"]))
            );
            self.add(&row);
        }
        self.add("</table></div>\n");
    }

    /// What a reference leads to, else the value itself.
    fn resolve(&self, value: &'a Value) -> &'a Value {
        let target = value["$ref"]
            .as_str()
            .and_then(|target| target.strip_prefix('#'));
        target
            .and_then(|pointer| self.document.pointer(pointer))
            .unwrap_or(value)
    }

    fn add(&mut self, html: &str) {
        self.html.push_str(html);
    }
}

fn badge(method: &str) -> String {
    let (class, name) = (escape(method), escape(&method.to_uppercase()));
    format!("<span class=\"method {class}\">{name}</span>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_operation_and_loads_nothing() {
        let document = crate::openapi::document();
        let page = Page::of(document);
        for operation in crate::router::operations() {
            let anchor = format!("<article id=\"{}\">", operation.id);
            assert!(page.html.contains(&anchor), "{anchor}");
        }
        for loads in [
            "<script", "<link", "<img", "src=", "url(", "@import", "onclick", "style=\"",
        ] {
            assert!(!page.html.contains(loads), "{loads}");
        }
        for link in page.html.split("href=\"").skip(1) {
            let target = link.split('"').next().unwrap();
            assert!(
                target.starts_with('#') || target == "/openapi.json",
                "{target}"
            );
            if let Some(id) = target.strip_prefix('#') {
                assert!(page.html.contains(&format!("id=\"{id}\"")), "{target}");
            }
        }
    }
}
