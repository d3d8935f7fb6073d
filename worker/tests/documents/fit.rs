//! Content that is too long for its pages: what is done about it, and what its owner is told.

use schemas::job::{Options, Pages, ThemeName};
use serde_json::{Value, json};

use super::{compact, report, sample, set, text};

fn one_page(allow_cuts: bool) -> Options {
    Options {
        theme: ThemeName::try_from("compact".to_owned()).unwrap(),
        pages: Pages::AtMost(1),
        allow_cuts,
        ..Options::default()
    }
}

/// A CV of two pages or so: its text is long in places that the advice names.
fn long() -> Value {
    let mut cv = sample();
    let long = "Words that say little and take much room. ";
    cv["profile"] = long.repeat(24).into();
    for job in 0..3 {
        cv["work_experience"][job]["bullets"][0] = long.repeat(20).into();
    }
    cv
}

#[test]
fn what_does_not_fit_is_left_whole_and_its_owner_told_what_to_shorten() {
    let mut cv = long();
    let made = set(&cv, one_page(false));
    assert!(made.facts.pages > 1);
    let over = made
        .warnings
        .iter()
        .find(|w| w.code == "over_target")
        .unwrap();
    assert!(
        over.message.contains("Shorten profile by "),
        "{}",
        over.message
    );
    let report = report(&made);
    let layout = &report["layout"][0];
    assert_eq!(
        layout["steps"],
        json!([]),
        "nothing helps, so nothing is shrunk"
    );
    let over = &layout["over"];
    let advice = over["shorten"].as_array().unwrap();
    assert_eq!(advice[0]["path"], "profile");
    let told: u64 = advice.iter().map(|text| text["by"].as_u64().unwrap()).sum();
    assert!(told >= over["characters"].as_u64().unwrap());

    // Whoever does as he is told gets his page.
    for text in advice {
        let (path, by) = (text["path"].as_str().unwrap(), text["by"].as_u64().unwrap());
        let pointer = format!("/{}", path.replace(['[', '.'], "/").replace(']', ""));
        let text = cv.pointer_mut(&pointer).unwrap();
        let long = text.as_str().unwrap();
        let keep = long.chars().count() - by as usize;
        *text = long.chars().take(keep).collect::<String>().into();
    }
    for entry in cv["work_experience"].as_array_mut().unwrap() {
        let bullets = entry["bullets"].as_array_mut().unwrap();
        bullets.retain(|bullet| bullet != "");
    }
    let made = set(&cv, one_page(false));
    assert_eq!(made.facts.pages, 1, "{:?}", made.warnings);
}

#[test]
fn cuts_take_bullets_of_the_oldest_jobs_bottom_up_and_name_them() {
    let cv = sample();
    let mut longer = cv.clone();
    for entry in longer["work_experience"].as_array_mut().unwrap() {
        let bullets = entry["bullets"].as_array_mut().unwrap();
        let more: Vec<_> = (0..4)
            .map(|i| {
                json!(format!(
                    "{} {i}",
                    "Took part in what everybody took part in. ".repeat(4)
                ))
            })
            .collect();
        bullets.extend(more);
    }
    let made = set(&longer, one_page(true));
    assert_eq!(made.facts.pages, 1, "{:?}", made.warnings);
    let cuts: Vec<_> = made
        .warnings
        .iter()
        .filter(|warning| warning.code == "cut")
        .map(|warning| warning.path.clone())
        .collect();
    assert!(cuts.len() > 2, "{cuts:?}");
    let all = (1..5).rev().flat_map(|job| {
        let bullets = longer["work_experience"][job]["bullets"]
            .as_array()
            .unwrap();
        let bullets = (0..bullets.len()).rev();
        bullets.map(move |bullet| format!("work_experience[{job}].bullets[{bullet}]"))
    });
    assert_eq!(cuts, all.take(cuts.len()).collect::<Vec<_>>());
    let steps = report(&made)["layout"][0]["steps"].clone();
    let steps = steps.as_array().unwrap();
    let listed: Vec<_> = steps
        .iter()
        .filter_map(|step| step["cut"].as_str())
        .collect();
    assert_eq!(listed, cuts, "the report lists them too");
    let shrunk = &steps[..steps.len() - listed.len()];
    assert!(
        shrunk.iter().all(|step| step["cut"].is_null()),
        "cuts come last"
    );
    assert!(
        shrunk.iter().any(|step| !step["text_pt"].is_null()),
        "{shrunk:?}"
    );

    // Only what is listed is missing from the page; the data keeps all of it.
    let shown = compact(&text(&longer, &made, &[]));
    for (job, entry) in longer["work_experience"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        for (bullet, text) in entry["bullets"].as_array().unwrap().iter().enumerate() {
            let path = format!("work_experience[{job}].bullets[{bullet}]");
            // The page has its own marks.
            let text = text
                .as_str()
                .unwrap()
                .trim_start_matches(['*', '-', '•', ' ']);
            let is_shown = shown.contains(&compact(text));
            let twin = entry["bullets"].as_array().unwrap().len() > 3 && job > 0 && bullet > 1;
            assert!(is_shown != cuts.contains(&path) || twin, "{path}");
        }
    }
    let read = convert::pdf::read(&made.pdf).unwrap().cv;
    assert_eq!(read.work_experience[4].bullets.len(), 7);
}

#[test]
fn each_step_that_made_it_fit_is_reported() {
    let made = set(&sample(), Options::default());
    assert_eq!(made.facts.pages, 2);
    let report = report(&made);
    let layout = &report["layout"][0];
    let steps = layout["steps"].as_array().unwrap();
    assert!(steps[0]["spacing"].as_f64().unwrap() < 1.0, "{steps:?}");
    assert!(layout["over"].is_null());
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
}
