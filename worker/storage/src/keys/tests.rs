//! Keys on the embedded store, with a clock that the tests move.

use super::*;
use crate::fault::Bench;

struct Fixture {
    keys: KeyStore,
    bench: Bench,
}

fn fixture() -> Fixture {
    let bench = Bench::new();
    let (clock, entropy) = bench.ambient();
    let keys = KeyStore::new(bench.plain.table.clone(), clock, entropy);
    Fixture { keys, bench }
}

impl Fixture {
    async fn state(&self, id: &KeyId) -> KeyState {
        let row = self.keys.read(id).await.unwrap().unwrap();
        row.state(self.bench.clock.now())
    }
}

fn new_key(tenant: &str, lives: Option<Duration>) -> NewKey {
    NewKey {
        tenant: Tenant::from_claim(tenant),
        name: "laptop".to_owned(),
        scopes: vec![Scope::JobsRead, Scope::Admin],
        tier: Tier::Pro,
        lives,
    }
}

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_key_is_found_by_its_id_and_only_its_hash_is_stored() {
    let fixture = fixture();
    let made = fixture.keys.create(new_key("acme", None)).await.unwrap();
    let text = made.text.expose();
    assert_eq!(text.len(), 59);
    assert_eq!(id_of(text).as_ref(), Some(&made.row.id));
    let row = fixture.keys.read(&made.row.id).await.unwrap().unwrap();
    assert_eq!(row, made.row);
    assert!(row.hash.matches(&KeyHash::of(text)));
    let other = text.replace(&text[50..51], "!");
    assert!(!row.hash.matches(&KeyHash::of(&other)));
    let secret = &text[16..];
    let stored = encode(&row).unwrap();
    let stored = serde_json::to_string(&stored).unwrap();
    assert!(!stored.contains(secret), "the secret is stored");
    assert!(!format!("{made:?}").contains(secret), "Debug shows it");
    let id: KeyId = "0123456789ab".parse().unwrap();
    assert_eq!(fixture.keys.read(&id).await.unwrap(), None);
}

#[test]
fn only_texts_of_the_form_have_an_id() {
    let secret = "A".repeat(43);
    let check = |text: &str, expect: Option<&str>| {
        assert_eq!(id_of(text).as_ref().map(KeyId::as_str), expect, "{text}");
    };
    check(&format!("pw_0123456789ab_{secret}"), Some("0123456789ab"));
    check(
        &format!("pw_0123456789ab_{}", "-_".repeat(21) + "x"),
        Some("0123456789ab"),
    );
    check(&format!("pw_0123456789ab_{secret}A"), None);
    check(&format!("pw_0123456789ab_{}=", &secret[1..]), None);
    check(&format!("pw_0123456789al_{secret}"), None);
    check(&format!("pw_0123456789A'_{secret}"), None);
    check(&format!("PW_0123456789ab_{secret}"), None);
    check(&format!("pw_0123456789äb_{secret}"), None);
    check("pw_", None);
    check("", None);
}

#[tokio::test]
async fn a_rotated_key_works_beside_the_new_one_for_its_grace() {
    let fixture = fixture();
    let old = fixture
        .keys
        .create(new_key("acme", None))
        .await
        .unwrap()
        .row;
    let new = fixture
        .keys
        .rotate(&old.id, 7 * 24 * HOUR)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(new.replaces.as_ref(), Some(&old.id));
    assert_eq!((&new.row.tenant, new.row.tier), (&old.tenant, old.tier));
    assert_eq!(new.row.scopes, old.scopes);
    assert_eq!(
        fixture
            .keys
            .rotate(&old.id, HOUR)
            .await
            .unwrap()
            .map(|m| m.row),
        None
    );
    fixture
        .bench
        .clock
        .pass(Duration::from_secs(7 * 24 * 60 * 60 - 1));
    assert_eq!(fixture.state(&old.id).await, KeyState::Rotated);
    assert_eq!(fixture.state(&new.row.id).await, KeyState::Active);
    fixture.bench.clock.pass(Duration::from_secs(1));
    assert_eq!(fixture.state(&old.id).await, KeyState::Expired);
    assert_eq!(fixture.state(&new.row.id).await, KeyState::Active);
}

#[tokio::test]
async fn grace_prolongs_nothing_and_the_new_key_lives_as_long_as_the_old_one_was_to() {
    let fixture = fixture();
    let old = fixture
        .keys
        .create(new_key("acme", Some(10 * HOUR)))
        .await
        .unwrap();
    fixture.bench.clock.pass(9 * HOUR);
    let new = fixture
        .keys
        .rotate(&old.row.id, 24 * HOUR)
        .await
        .unwrap()
        .unwrap();
    let lives = new
        .row
        .expires_at
        .unwrap()
        .duration_since(new.row.created_at);
    assert_eq!(lives.as_hours(), 10);
    fixture.bench.clock.pass(HOUR);
    assert_eq!(fixture.state(&old.row.id).await, KeyState::Expired);
}

#[tokio::test]
async fn all_keys_of_one_tenant_are_rotated_and_no_others() {
    let fixture = fixture();
    for _ in 0..60 {
        fixture.keys.create(new_key("acme", None)).await.unwrap();
    }
    let other = fixture.keys.create(new_key("beta", None)).await.unwrap();
    let acme = Tenant::from_claim("acme");
    let revoked = fixture.keys.list(Some(&acme)).await.unwrap()[0].id.clone();
    assert!(fixture.keys.revoke(&revoked).await.unwrap());
    assert!(!fixture.keys.revoke(&revoked).await.unwrap());
    let made = fixture.keys.rotate_all(&acme, HOUR).await.unwrap();
    assert_eq!(made.len(), 59);
    assert_eq!(fixture.keys.list(Some(&acme)).await.unwrap().len(), 119);
    assert_eq!(fixture.keys.list(None).await.unwrap().len(), 120);
    assert_eq!(fixture.state(&other.row.id).await, KeyState::Active);
    assert_eq!(fixture.state(&revoked).await, KeyState::Revoked);
}

#[tokio::test]
async fn uses_are_noted_and_never_go_back() {
    let fixture = fixture();
    let key = fixture
        .keys
        .create(new_key("acme", None))
        .await
        .unwrap()
        .row;
    let now = fixture.bench.clock.now();
    fixture.keys.note_use(&key.id, now).await.unwrap();
    fixture.keys.note_use(&key.id, now - HOUR).await.unwrap();
    let row = fixture.keys.read(&key.id).await.unwrap().unwrap();
    assert_eq!(row.last_used_at, Some(now));
}
