//! Mail, from a form to a mail server and from the link in it back to a page.

use crate::canaries;
use crate::facts::Person;
use crate::needs;
use crate::operator::{Installation, PASSWORD, make_key};
use crate::page::Browser;
use crate::post_office::{Came, Mood, PostOffice};
use crate::process::Latchkey;

const EMAIL: &str = "grace@example.org";

fn serve(installation: &Installation, office: &PostOffice) -> Latchkey {
    let variables = office.variables();
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    installation.serve_with(&variables)
}

fn sign_up(latchkey: &Latchkey, email: &str) {
    canaries::note(&latchkey.portal, "password", PASSWORD);
    let mut browser = Browser::at(&latchkey.portal);
    let values = [
        ("name", "Grace Hopper"),
        ("company", "Compilers & Sons"),
        ("email", email),
        ("password", PASSWORD),
    ];
    browser.get("/sign-up").submit("Create account", &values);
    assert_eq!((browser.status, browser.at.as_str()), (200, "/sign-in"));
    assert!(browser.text().contains(email), "{}", browser.text());
}

fn arrived(latchkey: &Latchkey, office: &PostOffice, to: &str, subject: &str) -> Came {
    let mail = needs::soon("the mail comes", || office.find(to, subject));
    if let Some((_, token)) = mail.text.split_once("?token=") {
        let token = token.split_whitespace().next().unwrap();
        canaries::note(&latchkey.portal, "one-time token", token);
    }
    mail
}

fn from_sign_up_to_a_reset(installation: &Installation) {
    let office = PostOffice::open();
    let mut latchkey = serve(installation, &office);
    sign_up(&latchkey, EMAIL);
    let mail = arrived(&latchkey, &office, EMAIL, "Confirm your mail address");
    assert_eq!(mail.header("From"), "\"Acme Maps\" <keys@acme.example>");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert!(mail.header("Message-ID").ends_with("@acme.example>"));
    assert!(mail.text.contains("text/plain") && mail.text.contains("text/html"));

    let mut browser = Browser::at(&latchkey.portal);
    browser.get(&mail.link()).submit("Confirm address", &[]);
    assert_eq!((browser.status, browser.at.as_str()), (200, "/sign-in"));
    let person = Person {
        email: EMAIL.to_owned(),
        password: PASSWORD.to_owned(),
        role: "owner".to_owned(),
        account: Some("compilers-sons".to_owned()),
    };
    let mut browser = Browser::signed_in(&latchkey.portal, &person);
    let made = make_key(&mut browser, "compilers-sons", "Till");
    let told = arrived(&latchkey, &office, EMAIL, "New key: Till");
    assert!(told.text.contains(&made.key_id) && !told.text.contains(&made.secret));

    let mut elsewhere = Browser::at(&latchkey.portal);
    elsewhere
        .get("/reset")
        .submit("Send link", &[("email", EMAIL)]);
    let mail = arrived(&latchkey, &office, EMAIL, "Set another password");
    let another = "another long passphrase, 43";
    canaries::note(&latchkey.portal, "password", another);
    elsewhere
        .get(&mail.link())
        .submit("Set password", &[("password", another)]);
    assert_eq!(elsewhere.at, "/sign-in");
    browser.get("/accounts/compilers-sons/keys");
    assert!(browser.at.starts_with("/sign-in"), "at {}", browser.at);
    arrived(&latchkey, &office, EMAIL, "Your password");
    latchkey.stop();
}

#[test]
fn mail_leads_from_sign_up_to_a_reset_on_sqlite() {
    from_sign_up_to_a_reset(&Installation::new());
}

#[test]
fn mail_leads_from_sign_up_to_a_reset_on_postgresql() {
    if let Some(database) = crate::database::Database::new() {
        from_sign_up_to_a_reset(&Installation::on_postgres(&database.url));
    }
}

#[test]
fn r_12_while_the_mail_server_fails_pages_go_on_and_every_mail_comes_later() {
    let installation = Installation::new();
    let office = PostOffice::open();
    let mut latchkey = serve(&installation, &office);
    let moods = [Mood::Closes, Mood::IsBusy, Mood::Refuses];
    for (number, mood) in moods.into_iter().enumerate() {
        office.be(mood);
        sign_up(&latchkey, &format!("p{number}@example.org"));
        let failed = || latchkey.logged().matches("a mail was not sent").count();
        let tried = || (failed() > number).then_some(());
        needs::soon("a try that fails", tried);
    }
    office.be(Mood::Hangs);
    sign_up(&latchkey, "last@example.org");
    // With a mail server that hangs the process ends all the same, and goes on later.
    assert!(latchkey.stop().success());
    office.be(Mood::Takes);
    assert!(
        !latchkey.logged().contains("@example.org"),
        "no address is logged"
    );
    latchkey = serve(&installation, &office);
    for to in ["p0", "p1", "p2"] {
        let to = format!("{to}@example.org");
        needs::within(
            std::time::Duration::from_mins(1),
            "every mail comes",
            || office.find(&to, "Confirm"),
        );
    }
    latchkey.stop();
}
