//! The rules one by one: what follows from what, and whether a worker that is asked to stop may let
//! go. The model looks at how they work together.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn rules(policy: Policy) -> Rules {
    Rules {
        policy,
        max_dequeues: 2,
        content_wait: Duration::from_millis(5),
        poll_min: Duration::from_millis(1),
        poll_max: Duration::from_millis(1),
    }
}

fn view(state: RowState) -> View {
    View {
        state,
        mine: false,
        begun: state != RowState::Queued,
        deadline_in: Duration::ZERO,
        reply_id: ReplyId::Unknown,
        ambiguous_attempts: 0,
        starts_in: Duration::ZERO,
        expired: false,
        cancel_requested: false,
        own_text_will_do: false,
        notify_behind: false,
    }
}

/// Latched by this handling.
fn latched() -> View {
    View {
        mine: true,
        deadline_in: SECOND,
        ..view(RowState::Calling)
    }
}

fn row(view: View) -> Event {
    Event::Row(Some(view))
}

/// Answers up to a latch that gave this row.
fn up_to(latched: View) -> Vec<Event> {
    vec![
        row(view(RowState::Queued)),
        Event::Content(Content::Free),
        Event::Budget(None),
        Event::Moved(latched),
    ]
}

fn called(latched: View, hand: Hand) -> Vec<Event> {
    let mut events = up_to(latched);
    events.extend([Event::Fresh(true), Event::Called(hand)]);
    events
}

fn go(effect: Effect) -> Next {
    Next::Do(effect, Duration::ZERO)
}

fn wait(after: Duration) -> Next {
    Next::End(Disposition::Release {
        after,
        forgiven: true,
    })
}

fn delete() -> Next {
    Next::End(Disposition::Delete)
}

/// What comes after these answers.
fn after(policy: Policy, dequeues: u32, events: &[Event]) -> Next {
    let (mut attempt, mut next) = Attempt::begin(rules(policy), dequeues);
    for event in events {
        assert!(
            matches!(next, Next::Do(..)),
            "over before {event:?}: {next:?}"
        );
        (attempt, next) = attempt.step(*event);
    }
    next
}

fn check(events: &[Event], expect: Next) {
    let found = after(Policy::Hold, 1, events);
    assert_eq!(found, expect, "hold: {events:?}");
}

fn check_retry(events: &[Event], expect: Next) {
    let found = after(Policy::RetryOnce, 1, events);
    assert_eq!(found, expect, "retry_once: {events:?}");
}

#[test]
fn what_follows_from_a_call() {
    let cancel = View {
        cancel_requested: true,
        ..latched()
    };
    let own_text = View {
        own_text_will_do: true,
        ..latched()
    };
    let second = View {
        ambiguous_attempts: 1,
        ..latched()
    };
    let refused = Hand::NotProcessed(SECOND);
    check(&up_to(latched()), go(Effect::CheckFresh));
    let stale = [up_to(latched()), vec![Event::Fresh(false)]].concat();
    check(&stale, go(Effect::RollBack));
    for (row, hand, effect) in [
        // What was paid for is made durable before anything else.
        (latched(), Hand::Reply, Effect::StoreReply(Hand::Reply)),
        (cancel, Hand::Reply, Effect::StoreReply(Hand::Reply)),
        (latched(), Hand::ReplyId, Effect::StoreReplyId),
        (cancel, Hand::ReplyId, Effect::StoreReplyId),
        (latched(), refused, Effect::RollBack),
        (cancel, refused, Effect::Finish(End::Cancelled)),
        (latched(), Hand::Failed, Effect::Finish(End::ModelFailed)),
        (cancel, Hand::Failed, Effect::Finish(End::Cancelled)),
        (own_text, Hand::Failed, Effect::StoreReply(Hand::OwnText)),
        (latched(), Hand::Ambiguous, Effect::Finish(End::Held)),
        (cancel, Hand::Ambiguous, Effect::Finish(End::Cancelled)),
        (own_text, Hand::Ambiguous, Effect::RenderOwnText),
    ] {
        check(&called(row, hand), go(effect));
    }
    let rolled_back = [
        called(latched(), refused),
        vec![Event::Moved(view(RowState::Queued))],
    ];
    check(&rolled_back.concat(), wait(SECOND));
    // A second call waits until no trace of the first can be out; a third there is none.
    check_retry(&called(latched(), Hand::Ambiguous), wait(SECOND));
    let held = go(Effect::Finish(End::Held));
    check_retry(&called(second, Hand::Ambiguous), held);
    let cancelled = go(Effect::Finish(End::Cancelled));
    check_retry(&called(cancel, Hand::Ambiguous), cancelled);
    // The owner asks to stop while the reply is stored.
    let stored = [called(cancel, Hand::Reply), vec![Event::Done]].concat();
    check(&stored, cancelled);
    // A reply is stored again where that was not acknowledged.
    let unclear = [called(latched(), Hand::Reply), vec![Event::Unclear]].concat();
    let again = after(Policy::Hold, 1, &unclear);
    let store = Effect::StoreReply(Hand::Reply);
    assert!(
        matches!(again, Next::Do(effect, pause) if effect == store && !pause.is_zero()),
        "{again:?}"
    );
}

#[test]
fn what_follows_from_another_s_call() {
    let out = View {
        deadline_in: SECOND,
        ..view(RowState::Calling)
    };
    let over = view(RowState::Calling);
    let repeated = View {
        ambiguous_attempts: 1,
        ..over
    };
    let known = |row| View {
        reply_id: ReplyId::Known,
        ..row
    };
    let cancel = |row| View {
        cancel_requested: true,
        ..row
    };
    let held = go(Effect::Finish(End::Held));
    let cancelled = go(Effect::Finish(End::Cancelled));
    let poll = go(Effect::Poll { in_hand: false });
    for (view, nothing_stored) in [
        (out, wait(SECOND)),
        (cancel(out), wait(SECOND)),
        (over, held),
        (cancel(over), cancelled),
        (known(out), poll),
        (known(cancel(out)), go(Effect::CancelCall)),
        (known(over), go(Effect::CancelCall)),
    ] {
        check(&[row(view)], go(Effect::ReadReply));
        check(&[row(view), Event::Reply(false)], nothing_stored);
        let stored = if view.cancel_requested {
            cancelled
        } else {
            go(Effect::ToRendering)
        };
        check(&[row(view), Event::Reply(true)], stored);
    }
    let nothing = Event::Reply(false);
    check_retry(&[row(out), nothing], wait(SECOND));
    check_retry(&[row(over), nothing], go(Effect::TakeBudget));
    check_retry(&[row(repeated), nothing], held);
    check_retry(&[row(cancel(over)), nothing], cancelled);
    let latch = Effect::Latch {
        after_ambiguous: true,
    };
    let repeat = [row(over), nothing, Event::Budget(None)];
    check_retry(&repeat, go(latch));

    // A copy that is gone at the provider was deleted by whoever stored the reply.
    let gone = [row(known(out)), nothing, Event::Polled(Polled::Gone)];
    check(&gone, go(Effect::ReadReply));
    let stored = [&gone[..], &[Event::Reply(true)]].concat();
    check(&stored, go(Effect::ToRendering));
    check(&[&gone[..], &[nothing]].concat(), held);
    let late = [
        row(known(over)),
        nothing,
        Event::Polled(Polled::Pending(SECOND)),
    ];
    check(&late, held);
}

#[test]
fn what_follows_from_a_row() {
    let queued = view(RowState::Queued);
    let begun = View {
        begun: true,
        ..queued
    };
    let expired = View {
        expired: true,
        ..queued
    };
    let later = View {
        starts_in: SECOND,
        ..expired
    };
    check(&[Event::Row(None)], delete());
    check(&[row(queued)], go(Effect::ReadContent));
    check(&[row(begun)], go(Effect::ReadReply));
    let again = [row(begun), Event::Reply(false)];
    check(&again, go(Effect::ReadContent));
    let replied = [row(begun), Event::Reply(true)];
    check(&replied, go(Effect::ToRendering));
    check(&[row(expired)], go(Effect::Finish(End::Expired)));
    check(&[row(later)], wait(SECOND));
    let content = |content| [row(queued), Event::Content(content)];
    check(&content(Content::Free), go(Effect::TakeBudget));
    check(&content(Content::Made), go(Effect::CopyPdf));
    let busy = rules(Policy::Hold).content_wait;
    check(&content(Content::Busy), wait(busy));
    let no_copy = [&content(Content::Made)[..], &[Event::Impossible]].concat();
    check(&no_copy, go(Effect::TakeBudget));
    let dear = [&content(Content::Free)[..], &[Event::Budget(Some(SECOND))]];
    check(&dear.concat(), wait(SECOND));

    let rendering = view(RowState::Rendering);
    check(&[row(rendering)], go(Effect::Render));
    let crashed = Next::End(Disposition::Release {
        after: SECOND,
        forgiven: false,
    });
    check(&[row(rendering), Event::Pdf(Pdf::Crashed)], crashed);
    let failed = go(Effect::Finish(End::RenderFailed));
    check(&[row(rendering), Event::Impossible], failed);
    for (pdf, told) in [(Pdf::Stored, delete()), (Pdf::Adopted, go(Effect::Notify))] {
        let done = Event::Moved(view(RowState::Succeeded));
        check(&[row(rendering), Event::Pdf(pdf), done], told);
    }

    let held = view(RowState::OutcomeUnknown);
    let known = View {
        reply_id: ReplyId::Known,
        ..held
    };
    let (none, late) = (Event::Reply(false), Event::Reply(true));
    check(&[row(held), none], delete());
    check(&[row(held), late], go(Effect::ToRendering));
    let ask = Effect::Poll { in_hand: false };
    check(&[row(known), none], go(ask));
    for state in [
        RowState::Succeeded,
        RowState::Failed,
        RowState::Cancelled,
        RowState::Expired,
    ] {
        check(&[row(view(state))], delete());
        let untold = View {
            notify_behind: true,
            ..view(state)
        };
        check(&[row(untold)], go(Effect::Notify));
    }
}

#[test]
fn a_job_is_set_aside_after_the_last_failure_that_is_allowed() {
    let aside = |view, dequeues| after(Policy::Hold, dequeues, &[row(view), Event::Reply(false)]);
    let over = view(RowState::Calling);
    assert_eq!(aside(over, 2), go(Effect::Finish(End::Held)));
    assert_eq!(aside(over, 3), go(Effect::SetAside));
    let check = |view, answers: &[Event], end| {
        let events = [&[row(view)], answers].concat();
        assert_eq!(after(Policy::Hold, 3, &events), go(Effect::SetAside));
        let copied = [&events[..], &[Event::Done]].concat();
        assert_eq!(after(Policy::Hold, 3, &copied), go(Effect::Finish(end)));
        let unclear = [&events[..], &[Event::Unclear]].concat();
        let again = after(Policy::Hold, 3, &unclear);
        assert!(matches!(again, Next::Do(Effect::Read, _)), "{again:?}");
    };
    let queued = view(RowState::Queued);
    check(queued, &[], End::Poisoned);
    check(view(RowState::Rendering), &[], End::Poisoned);
    check(over, &[Event::Reply(false)], End::HeldAsPoison);
    let last = after(Policy::Hold, 2, &[row(queued)]);
    assert_eq!(last, go(Effect::ReadContent));
    // A call that may be out is waited for first.
    let out = View {
        deadline_in: SECOND,
        ..over
    };
    assert_eq!(aside(out, 3), wait(SECOND));
}

#[test]
fn a_stop_lets_go_only_of_what_costs_nothing() {
    let queued = view(RowState::Queued);
    let rendering = view(RowState::Rendering);
    let to_latch = [
        (row(queued), true),
        (Event::Content(Content::Free), true),
        (Event::Budget(None), true),
    ];
    let check = |name: &str, dequeues: u32, events: &[(Event, bool)]| {
        let (mut attempt, _) = Attempt::begin(rules(Policy::Hold), dequeues);
        assert!(attempt.may_let_go(), "{name}: before the first read");
        for (at, (event, may)) in events.iter().enumerate() {
            (attempt, _) = attempt.step(*event);
            assert_eq!(attempt.may_let_go(), *may, "{name}: {at}: {event:?}");
        }
    };
    let from_latch = |rest: &[(Event, bool)]| [&to_latch[..], rest].concat();
    let plain = [
        (Event::Moved(latched()), false),
        (Event::Fresh(true), false),
        (Event::Called(Hand::Reply), false),
        (Event::Done, false),
        (Event::Moved(rendering), false),
        (Event::Pdf(Pdf::Stored), false),
    ];
    check("plain", 1, &from_latch(&plain));
    let in_doubt = [
        (Event::Unclear, false),
        // The row cannot be read either: it may still be ours.
        (Event::Unclear, false),
        (row(latched()), false),
    ];
    check("latch not acknowledged", 1, &from_latch(&in_doubt));
    let not_latched = [(Event::Unclear, false), (row(queued), true)];
    check("latch did not take place", 1, &from_latch(&not_latched));
    let pending = View {
        reply_id: ReplyId::InHand,
        ..latched()
    };
    let in_background = [
        (Event::Moved(latched()), false),
        (Event::Fresh(true), false),
        (Event::Called(Hand::ReplyId), false),
        (Event::Moved(pending), true),
        (Event::Polled(Polled::Pending(Duration::ZERO)), true),
        (row(pending), true),
        (Event::Polled(Polled::Reply), false),
    ];
    check("in the background", 1, &from_latch(&in_background));
    let set_aside = [(row(queued), true), (Event::Done, false)];
    check("poison", 3, &set_aside);
    check("another's call", 1, &[(row(view(RowState::Calling)), true)]);
}

/// A write that fails for ever, beside reads that work: the handling ends all the same.
#[test]
fn a_move_that_is_never_made_is_given_up() {
    let (mut attempt, mut next) = Attempt::begin(rules(Policy::Hold), 1);
    for _ in 0..100 {
        let event = match next {
            Next::Do(Effect::Read, _) => row(view(RowState::Rendering)),
            Next::Do(Effect::Render, _) => Event::Pdf(Pdf::Adopted),
            Next::Do(Effect::Finish(End::Succeeded), _) => Event::Unclear,
            Next::Do(effect, _) => panic!("{effect:?}"),
            Next::End(Disposition::Release { .. }) => return,
            Next::End(Disposition::Delete) => panic!("the job is not final"),
        };
        (attempt, next) = attempt.step(event);
    }
    panic!("it goes on for ever");
}

#[test]
fn what_storage_refuses_to_record_fails_the_job() {
    let (mut attempt, _) = Attempt::begin(rules(Policy::Hold), 1);
    let mut next;
    (attempt, _) = attempt.step(row(view(RowState::Rendering)));
    (attempt, next) = attempt.step(Event::Pdf(Pdf::Stored));
    assert_eq!(next, go(Effect::Finish(End::Succeeded)));
    (_, next) = attempt.step(Event::Impossible);
    assert_eq!(next, go(Effect::Finish(End::RenderFailed)));
}
