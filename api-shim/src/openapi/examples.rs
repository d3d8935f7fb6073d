//! Examples: invented people, complete requests that the service takes as they stand.

use serde_json::{Value, json};

use super::shared::{JOB, SESSION};

/// A short CV.
pub(super) fn cv() -> Value {
    json!({
        "full_name": "Ida Morrow",
        "email": "ida.morrow@example.com",
        "phone": "+44 1632 960 118",
        "profile": "Warehouse lead with ten years in cold-chain logistics.",
        "work_experience": [{
            "date_range": "2019-04 – Present",
            "employer": "Northgate Cold Storage",
            "location": "Leeds",
            "title": "Shift lead",
            "bullets": ["Led 14 people over two shifts.", "Cut picking errors by a third."],
        }],
        "education": [{
            "date_range": "2012 – 2014",
            "institution": "Leeds City College",
            "title": "Diploma in Logistics",
        }],
        "languages": ["English (native)", "Polish (B1)"],
        "it_ai_skills": ["SAP EWM", "Excel"],
    })
}

/// A job that is asked for.
pub(super) fn job_request() -> Value {
    json!({
        "kind": "cv",
        "input": { "cv": cv() },
        "options": { "language": "en", "theme": "classic", "pages": 2 },
        "metadata": { "ticket": "A-1042" },
    })
}

/// A job that was just accepted.
pub(super) fn queued() -> Value {
    json!({
        "id": JOB,
        "kind": "cv",
        "state": "queued",
        "progress": 0,
        "created_at": "2026-06-01T09:30:00Z",
        "updated_at": "2026-06-01T09:30:00Z",
        "model_calls": 0,
        "cached": false,
        "warnings": [],
        "metadata": { "ticket": "A-1042" },
        "links": links(),
    })
}

/// A job that has its document.
pub(super) fn succeeded() -> Value {
    let mut job = queued();
    let ended = "2026-06-01T09:30:04.21Z";
    let sha256 = "9b1f5c3a".repeat(8);
    let file_name = "CV_Ida_Morrow_Shift_lead.pdf";
    job["state"] = json!("succeeded");
    job["progress"] = json!(100);
    job["updated_at"] = json!(ended);
    job["finished_at"] = json!(ended);
    job["editor"] = json!("model");
    job["model_calls"] = json!(1);
    job["usage"] = json!({
        "model": "gpt-5.4-mini",
        "input_tokens": 2431,
        "cached_input_tokens": 0,
        "output_tokens": 874,
        "cost_usd": "0.005756",
    });
    job["result"] = json!({
        "pages": 1,
        "size_bytes": 48_213,
        "sha256": sha256,
        "file_name": file_name,
        "documents": [{
            "name": "cv",
            "link": format!("/v1/jobs/{JOB}/result/cv"),
            "media_type": "application/pdf",
            "file_name": file_name,
            "size_bytes": 48_213,
            "sha256": sha256,
            "pages": 1,
        }],
    });
    job
}

/// A session just made from [`cv`].
pub(super) fn session() -> Value {
    json!({
        "id": SESSION,
        "version": 2,
        "cv": cv(),
        "unconfirmed": null,
        "unplaced": [],
        "language": "en",
        "job_posting": null,
        "has_photo": false,
        "readiness": readiness(),
        "created_at": "2026-06-01T09:30:00Z",
        "updated_at": "2026-06-01T09:31:00Z",
        "expires_at": "2026-06-02T09:31:00Z",
    })
}

/// Of a session whose owner has confirmed everything.
pub(super) fn readiness() -> Value {
    json!({
        "can_generate": true,
        "required_present": {
            "education": true,
            "email": true,
            "full_name": true,
            "phone": true,
            "work_experience": true,
        },
        "strict_template": false,
        "confirmed_flags": {
            "contact_confirmed": true,
            "education_confirmed": true,
            "confirmed_at": "2026-06-01T09:31:00Z",
        },
        "missing": [],
    })
}

fn links() -> Value {
    json!({
        "self": format!("/v1/jobs/{JOB}"),
        "result": format!("/v1/jobs/{JOB}/result"),
        "events": format!("/v1/jobs/{JOB}/events"),
    })
}
