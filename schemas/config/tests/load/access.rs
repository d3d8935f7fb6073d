//! Who may come in, and how often: settings of identity and limits.

use config::{Allowance, Config, Limited};

use super::{faults, from_env, sources};

#[test]
fn limits_and_secrets_of_existing_deployments_work() {
    let secret = "q7Hn0xw2Vd9sLk4TzB1cRm6YfGp3JaEe";
    let config = from_env(&[
        ("JWT_SECRET_KEY", secret),
        ("RATE_LIMIT_ENABLED", "true"),
        ("RATE_LIMIT_DEFAULT", "100/minute"),
        ("RATE_LIMIT_AUTHENTICATED", "1000/hour burst 20"),
    ])
    .config;
    assert_eq!(config.auth.jwt_secret.unwrap().expose(), secret);
    assert_eq!(config.limits.enabled, Limited::On);
    let shown = |rate: Option<Allowance>| rate.unwrap().to_string();
    assert_eq!(shown(config.limits.anonymous), "100/minute burst 100");
    assert_eq!(shown(config.limits.authenticated), "1000/hour burst 20");
    let config = from_env(&[("SECRET_KEY", secret), ("RATE_LIMIT_PER_MINUTE", "30")]).config;
    assert!(config.auth.jwt_secret.is_some());
    assert_eq!(shown(config.limits.anonymous), "30/minute burst 30");

    let check = |env: &[(&str, &str)], expect: &str| {
        let found = faults("", env, &[]);
        assert!(found.iter().any(|f| f.contains(expect)), "{found:?}");
    };
    check(&[("JWT_SECRET_KEY", "short")], "at least 32 characters");
    // An example that works would be everybody's secret.
    let short = Config::load(&sources("", &[("JWT_SECRET_KEY", "short")], &[]));
    let example = short.unwrap_err().faults.remove(0).example.unwrap();
    check(&[("JWT_SECRET_KEY", &example)], "at least 32 characters");
    check(
        &[("SECRET_KEY", "change-me-in-production-0192837465")],
        "looks like a placeholder",
    );
    check(&[("RATE_LIMIT_DEFAULT", "lots")], "must be a rate");
    let jwks = ("PRESSWORK_AUTH__JWKS_URL", "https://login.example.org/keys");
    check(&[jwks], "auth.issuer");
    check(&[jwks], "auth.audience");
}

#[test]
fn anonymous_callers_are_served_where_only_this_machine_can_call() {
    let check = |settings: &[(&str, &str)], expect: bool| {
        let config = Config::load(&sources("", &[], settings)).unwrap().config;
        assert_eq!(config.serves_anonymous(), expect, "{settings:?}");
    };
    check(&[], true);
    check(&[("server.listen", "[::1]:0")], true);
    check(&[("server.listen", "0.0.0.0:8080")], false);
    check(&[("server.listen", "192.0.2.7:8080")], false);
    check(&[("limits.proxy_hops", "1")], false);
    check(&[("auth.anonymous", "off")], false);
    check(
        &[("server.listen", "0.0.0.0:8080"), ("auth.anonymous", "on")],
        true,
    );
}
