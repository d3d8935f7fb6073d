//! Delta mode: what has not changed is named and not sent, and keeps its text.

use e2e::backing::Backing;
use serde_json::json;

use super::start;

e2e::on_both_storages!(only_what_has_changed_is_sent);

async fn only_what_has_changed_is_sent(backing: Backing) {
    let system = start(backing, &[("cv.delta_mode", "true")]);
    let id = system.ready(1).await;
    system.pdf(&id, json!({})).await;
    let cv = system.session(&id).await["cv_data"].clone();
    let bullet = cv["work_experience"][0]["bullets"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let profile =
        json!({"session_id": id, "field_path": "profile", "value": "A profile that is new."});
    system.ok("update-cv-field", profile).await;
    let pack = json!({"session_id": id, "phase": "execution"});
    let pack = system.ok("generate-context-pack", pack).await;
    let sections = &pack["execution"]["sections"];
    assert_eq!(sections["rest"]["status"], "changed");
    let work = &sections["work_experience"];
    assert_eq!(work["status"], "unchanged");
    assert!(
        work["hash"].as_str().unwrap().len() == 16
            && work["count"].is_u64()
            && work["preview"].is_string()
    );
    let second = system.pdf(&id, json!({})).await;
    assert_eq!(second["run_summary"]["model_calls_now"], 1);
    let requests = system.model.requests();
    let sent = requests.last().unwrap().to_string();
    assert!(
        sent.contains("A profile that is new."),
        "what is new is sent"
    );
    let tail: String = bullet.chars().skip(bullet.chars().count() / 2).collect();
    assert!(requests[0].to_string().contains(&tail));
    assert!(!sent.contains(&tail), "what has not changed is not sent");
    // Nothing has changed: no call at all.
    let again = system.pdf(&id, json!({})).await;
    assert_eq!(again["pdf_base64"], second["pdf_base64"]);
    assert_eq!(system.model.counters().accepted, 2);
}
