//! Consent that is taken back in an update that is refused for another field.

use super::api::contact;
use super::*;
use crate::contact::DeadReason;
use crate::store::Trouble;

/// An update that withdraws consent and sets a name, which the API refuses with this failure.
async fn withdrawing(refusal: Failure) -> Rig {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.fails_where(|_, update| update.name.is_some(), Some(refusal));
    let update = ContactUpdate {
        name: Some("Ann".to_owned()),
        optin: Some(false),
        incoming_blocked: Some(true),
        ..ContactUpdate::default()
    };
    rig.plan(PlannedUpdate::new(by_id(1), update)).await;
    rig
}

fn words(end: Option<&End>) -> String {
    match end {
        Some(End::Dead(DeadReason::Refused | DeadReason::Forbidden, Trouble { words, .. })) => {
            words.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_withdrawal_is_sent_alone_where_another_field_is_refused() {
    for status in [400, 403, 422] {
        let rig = withdrawing(answered(status)).await;

        rig.settle().await;

        let ann = rig.api.contact(&id(1));
        assert_eq!((ann.optin, ann.incoming_blocked, ann.name), (Some(false), Some(true), None));
        assert_eq!(
            words(rig.ends().last()),
            format!("words of {status}; the withdrawal of consent in it was sent alone and taken")
        );
        assert_eq!(rig.names_put().len(), 2);
    }
}

#[tokio::test]
async fn a_withdrawal_that_fails_for_now_keeps_its_update_until_it_is_taken() {
    let rig = withdrawing(answered(400)).await;
    rig.api.fails_where(|_, update| update.name.is_none(), Some(answered(500)));
    rig.settle().await;
    assert!(matches!(rig.ends()[..], [End::Again { .. }]), "{:?}", rig.ends());

    rig.api.fails_where(|_, update| update.name.is_none(), None);
    rig.pass(seconds(1)).await;

    assert_eq!(rig.api.contact(&id(1)).optin, Some(false));
    assert!(words(rig.ends().last()).ends_with("and taken"));
}

#[tokio::test]
async fn a_withdrawal_that_is_refused_itself_is_said_to_be() {
    let rig = withdrawing(answered(400)).await;
    rig.api.always_fails("PUT", Some(answered(422)));

    rig.settle().await;

    assert!(words(rig.ends().last()).ends_with("and refused too"));
    assert_eq!(rig.names_put().len(), 2);
}

#[tokio::test]
async fn a_refused_update_that_takes_nothing_back_is_not_sent_again() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.always_fails("PUT", Some(answered(400)));
    let update = ContactUpdate {
        name: Some("Ann".to_owned()),
        optin: Some(true),
        ..ContactUpdate::default()
    };
    rig.plan(PlannedUpdate::new(by_id(1), update)).await;

    rig.settle().await;

    assert_eq!(rig.names_put(), ["ab01 Ann"]);
}
