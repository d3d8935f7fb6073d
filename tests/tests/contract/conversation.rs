//! process-cv-orchestrated: intents, stages, and asking for the PDF as confirmation.

use e2e::backing::Backing;
use serde_json::{Value, json};

use super::{docx, has, start};

e2e::on_both_storages!(
    generate_straight_after_the_upload_works,
    an_edit_word_costs_nothing_and_wins,
    there_has_to_be_something_to_work_on,
    the_whole_story_of_an_assistant,
);

const MEMBERS: [&str; 12] = [
    "success",
    "session_id",
    "assistant_text",
    "pdf_base64",
    "validation",
    "cv_data_summary",
    "stage",
    "run_summary",
    "trace_id",
    "turn_trace",
    "last_response_id",
    "success",
];

async fn generate_straight_after_the_upload_works(backing: Backing) {
    let system = start(backing, &[]);
    let upload = json!({"docx_base64": docx("01_software_engineer_en"), "language": "en", "message": "generate pdf"});
    let made = system.ok("process-cv-orchestrated", upload).await;
    has(&made, &MEMBERS);
    assert_eq!(
        (&made["success"], &made["stage"]),
        (&json!(true), &json!("execution")),
        "{made:#}"
    );
    assert!(made["pdf_base64"].as_str().unwrap().starts_with("JVBER"));
    let run = &made["run_summary"];
    assert_eq!(
        (
            &run["execution_mode"],
            &run["model_calls"],
            &run["latch_engaged"]
        ),
        (&json!(true), &json!(1), &json!(false))
    );
    let id = &made["session_id"];
    for message in ["Generuj PDF", "go ahead", "final", "make a CV please"] {
        let again = json!({"session_id": id, "message": message});
        let again = system.ok("process-cv-orchestrated", again).await;
        assert_eq!(again["pdf_base64"], made["pdf_base64"], "{message}");
        assert_eq!(again["run_summary"]["latch_engaged"], true, "{message}");
        assert_eq!(again["run_summary"]["model_calls"], 1, "{message}");
    }
    assert_eq!(system.model.counters().accepted, 1);
    let session = system.session(id.as_str().unwrap()).await;
    assert_eq!(
        session["metadata"]["confirmed_flags"]["contact_confirmed"],
        true
    );
    // Without a message the turn goes as far as its owner has confirmed.
    let silent = system
        .ok("process-cv-orchestrated", json!({"session_id": id}))
        .await;
    assert_eq!(silent["stage"], "execution");
    let upload = json!({"docx_base64": docx("01_software_engineer_en")});
    let silent = system.ok("process-cv-orchestrated", upload).await;
    assert_eq!(
        (&silent["stage"], &silent["pdf_base64"]),
        (&json!("review_session"), &Value::Null)
    );
}

async fn an_edit_word_costs_nothing_and_wins(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.ready(1).await;
    for message in [
        "Please change my title",
        "zmień tytuł i generuj pdf",
        "Bitte ändere das",
        "update it, then generate the PDF",
    ] {
        let turn = system
            .ok(
                "process-cv-orchestrated",
                json!({"session_id": id, "message": message}),
            )
            .await;
        has(&turn, &MEMBERS);
        assert_eq!(
            (&turn["stage"], &turn["pdf_base64"]),
            (&json!("review_session"), &Value::Null),
            "{message}"
        );
        assert_eq!(
            turn["run_summary"]["stage_debug"]["edit_intent"], true,
            "{message}"
        );
        assert_eq!(turn["run_summary"]["model_calls"], 0, "{message}");
        assert!(
            !turn["assistant_text"].as_str().unwrap().is_empty(),
            "{message}"
        );
    }
    let hello = system
        .ok(
            "process-cv-orchestrated",
            json!({"session_id": id, "message": "Hello?"}),
        )
        .await;
    assert_eq!(
        hello["run_summary"]["stage_debug"],
        json!({"edit_intent": false, "generate_intent": false})
    );
    let edits = json!([{"field_path": "profile", "value": "Set in the same turn."}]);
    let turn = json!({"session_id": id, "message": "generate pdf", "edits": edits});
    assert_eq!(
        system.ok("process-cv-orchestrated", turn).await["stage"],
        "execution"
    );
    assert_eq!(
        system.session(&id).await["cv_data"]["profile"],
        "Set in the same turn."
    );
    assert_eq!(system.model.counters().accepted, 1);
    let wrong = json!({"session_id": id, "edits": [{"field_path": "nowhere", "value": 1}]});
    let (status, refused) = system.post("process-cv-orchestrated", wrong).await;
    assert_eq!((status, &refused["field_path"]), (400, &json!("nowhere")));
    // What is still missing is said, and nothing is made.
    system
        .ok(
            "update-cv-field",
            json!({"session_id": id, "field_path": "email", "value": null}),
        )
        .await;
    let (status, refused) = system
        .post(
            "process-cv-orchestrated",
            json!({"session_id": id, "message": "generate pdf"}),
        )
        .await;
    assert_eq!(
        (status, &refused["error"]),
        (400, &json!("readiness_not_met"))
    );
    assert!(
        refused["assistant_text"]
            .as_str()
            .unwrap()
            .contains("email"),
        "{refused:#}"
    );
}

async fn there_has_to_be_something_to_work_on(backing: Backing) {
    let system = start(backing, &[]);
    let unknown = "6f1de0c4-7fbc-4d3e-9a4c-0d2c4f2f3f11";
    let (status, _) = system.post("process-cv-orchestrated", json!({})).await;
    assert_eq!(status, 400);
    let turn = system
        .ok(
            "process-cv-orchestrated",
            json!({"message": "generate pdf"}),
        )
        .await;
    assert_eq!(
        (&turn["success"], &turn["pdf_base64"]),
        (&json!(false), &Value::Null)
    );
    assert!(turn["assistant_text"].as_str().unwrap().contains("DOCX"));
    let (status, gone) = system
        .post(
            "process-cv-orchestrated",
            json!({"session_id": unknown, "message": "generate pdf"}),
        )
        .await;
    assert_eq!(
        (status, gone),
        (404, json!({"error": "Session not found or expired"}))
    );
    let (status, gone) = system
        .tool(
            "process_cv_orchestrated",
            unknown,
            json!({"message": "generate pdf"}),
        )
        .await;
    assert_eq!((status, &gone["success"]), (200, &json!(false)));
    assert!(gone["assistant_text"].as_str().unwrap().contains("session"));
    assert_eq!(system.model.counters().received, 0);
}

/// Upload, read, fix two fields, confirm, generate, generate again, edit, generate, fetch by ref.
async fn the_whole_story_of_an_assistant(backing: Backing) {
    let system = start(backing, &[("cv.delta_mode", "true")]);
    let id = system.uploaded("04_financial_controller_de").await;
    let read = system.session(&id).await;
    assert!(read["metadata"]["docx_prefill_unconfirmed"]["work_experience"].is_array());
    let edits = json!([
        {"field_path": "work_experience[0].title", "value": "Head of Controlling"},
        {"field_path": "phone", "value": "+49 30 000000"},
        {"field_path": "email", "value": "someone@example.com"},
    ]);
    let confirm = json!({"contact_confirmed": true, "education_confirmed": true});
    let updated = system
        .ok(
            "update-cv-field",
            json!({"session_id": id, "edits": edits, "confirm": confirm}),
        )
        .await;
    assert_eq!(updated["readiness"]["can_generate"], true, "{updated:#}");
    let first = system.pdf(&id, json!({})).await;
    let again = system.pdf(&id, json!({})).await;
    assert_eq!(first["pdf_base64"], again["pdf_base64"]);
    assert_eq!(again["run_summary"]["model_calls_now"], 0);
    let edit = json!({"session_id": id, "field_path": "work_experience[0].bullets[0]", "value": "Leads the closing of the year."});
    system.ok("update-cv-field", edit).await;
    let second = system.pdf(&id, json!({})).await;
    assert_eq!(second["run_summary"]["model_calls_now"], 1);
    assert_eq!(system.model.counters().accepted, 2);
    let name = second["run_summary"]["pdf_ref"].clone();
    let call =
        json!({"tool_name": "get_pdf_by_ref", "session_id": id, "params": {"pdf_ref": name}});
    assert_eq!(
        system
            .raw("cv-tool-call-handler", &call)
            .await
            .status()
            .as_u16(),
        200
    );
    let photo = system
        .model
        .requests()
        .iter()
        .any(|request| request.to_string().contains("base64,"));
    assert!(!photo, "the photo is never sent to the model");
}
