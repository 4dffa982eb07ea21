//! Teams, branches, products and agents at the ports: versions, order, pages.

use std::sync::Arc;

use moon_core::{
    AgentStatus, Branch, Code, CodeKind, Consent, Consents, Contact, ErrorKind, Lock, Page, PageRequest, Result, Store,
    UnitOfWork, Version,
};

use crate::builders::{
    agent, agent_code, branch, branch_code, noon, product, product_code, reading, team, team_code, text, writing,
};

/// What has a code, a name and a version, and the same rules of writing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Master {
    Team,
    Branch,
    Product,
    Agent,
}

/// What is compared: the code, the name, the version.
type Row = (String, String, u32);

fn row<K: CodeKind>(code: &Code<K>, name: &moon_core::Name, version: Version) -> Row {
    (code.to_string(), name.to_string(), version.0)
}

impl Master {
    pub(super) const EVERY: [Self; 4] = [Self::Team, Self::Branch, Self::Product, Self::Agent];

    /// Writes a row of this code, name and version.
    pub(super) async fn put(
        self,
        unit: &mut dyn UnitOfWork,
        (code, name, version): (&str, &str, u32),
        expected: Option<u32>,
    ) -> Result<()> {
        let (name, version, expected) = (text(name), Version(version), expected.map(Version));
        match self {
            Self::Team => {
                let team = moon_core::Team { name, version, ..team(code) };
                unit.organisation().put_team(&team, expected).await
            }
            Self::Branch => unit.organisation().put_branch(&Branch { name, version, ..branch(code) }, expected).await,
            Self::Product => {
                unit.products().put(&moon_core::Product { name, version, ..product(code) }, expected).await
            }
            Self::Agent => unit.agents().put(&moon_core::Agent { name, version, ..agent(code) }, expected).await,
        }
    }

    /// What is found under each code.
    pub(super) async fn find(self, unit: &mut dyn UnitOfWork, codes: &[&str]) -> Vec<Option<Row>> {
        match self {
            Self::Team => {
                let codes: Vec<_> = codes.iter().map(|code| team_code(code)).collect();
                let found = unit.organisation().find_teams(&codes).await.unwrap();
                found.into_iter().map(|team| team.map(|team| row(&team.code, &team.name, team.version))).collect()
            }
            Self::Branch => {
                let codes: Vec<_> = codes.iter().map(|code| branch_code(code)).collect();
                let found = unit.organisation().find_branches(&codes).await.unwrap();
                found.into_iter().map(|found| found.map(|found| row(&found.code, &found.name, found.version))).collect()
            }
            Self::Product => {
                let codes: Vec<_> = codes.iter().map(|code| product_code(code)).collect();
                let found = unit.products().find(&codes).await.unwrap();
                found.into_iter().map(|found| found.map(|found| row(&found.code, &found.name, found.version))).collect()
            }
            Self::Agent => {
                let codes: Vec<_> = codes.iter().map(|code| agent_code(code)).collect();
                let found = unit.agents().find(&codes, Lock::None).await.unwrap();
                found.into_iter().map(|found| found.map(|found| row(&found.code, &found.name, found.version))).collect()
            }
        }
    }

    /// A page, of which only the codes are of interest.
    async fn list(self, unit: &mut dyn UnitOfWork, request: &PageRequest) -> Page<String> {
        match self {
            Self::Team => codes(unit.organisation().list_teams(request).await.unwrap(), |team| team.code.to_string()),
            Self::Branch => {
                codes(unit.organisation().list_branches(request).await.unwrap(), |branch| branch.code.to_string())
            }
            Self::Product => codes(unit.products().list(request).await.unwrap(), |product| product.code.to_string()),
            Self::Agent => codes(unit.agents().list(request).await.unwrap(), |agent| agent.code.to_string()),
        }
    }

    /// All codes, by pages of this size.
    pub(super) async fn list_all(self, unit: &mut dyn UnitOfWork, limit: u32) -> Vec<String> {
        let mut request = Some(PageRequest::first(limit));
        let mut all = Vec::new();
        while let Some(now) = request {
            let page = self.list(unit, &now).await;
            assert!(page.items.len() <= usize::try_from(limit).unwrap(), "{self:?}: a page longer than asked for");
            assert!(page.next.is_none() || !page.items.is_empty(), "{self:?}: an empty page in the middle");
            request = now.following(&page);
            all.extend(page.items);
        }
        all
    }
}

fn codes<T>(page: Page<T>, code: fn(&T) -> String) -> Page<String> {
    Page { items: page.items.iter().map(code).collect(), next: page.next }
}

/// What was written is found, each at the place of its code, the missing ones too, and a code asked for twice twice.
pub async fn rows_are_found_at_the_places_of_their_codes(store: Arc<dyn Store>) {
    for master in Master::EVERY {
        let mut unit = writing(&store).await;
        master.put(unit.as_mut(), ("B", "the second", 1), None).await.unwrap();
        master.put(unit.as_mut(), ("A", "the first", 1), None).await.unwrap();
        unit.commit().await.unwrap();
        let mut unit = reading(&store).await;
        let a = Some(("A".to_owned(), "the first".to_owned(), 1));
        let b = Some(("B".to_owned(), "the second".to_owned(), 1));
        let found = master.find(unit.as_mut(), &["B", "?", "A", "B"]).await;
        assert_eq!(found, [b.clone(), None, a, b], "{master:?}");
        assert_eq!(master.find(unit.as_mut(), &[]).await, [], "{master:?}");
    }
}

/// A code is created once; the failed attempt changes nothing and leaves the unit usable.
pub async fn a_code_is_created_once(store: Arc<dyn Store>) {
    for master in Master::EVERY {
        let mut unit = writing(&store).await;
        master.put(unit.as_mut(), ("A", "first", 1), None).await.unwrap();
        let error = master.put(unit.as_mut(), ("A", "again", 1), None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{master:?}: {error}");
        unit.commit().await.unwrap();
        let mut unit = writing(&store).await;
        let error = master.put(unit.as_mut(), ("A", "again", 1), None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{master:?}: {error}");
        let found = master.find(unit.as_mut(), &["A"]).await;
        assert_eq!(found, [Some(("A".to_owned(), "first".to_owned(), 1))], "{master:?}");
        unit.rollback().await.unwrap();
    }
}

/// An update names the version that it takes the place of; any other is a conflict, and so is a missing row.
pub async fn an_update_names_the_version_that_it_has_seen(store: Arc<dyn Store>) {
    for master in Master::EVERY {
        let mut unit = writing(&store).await;
        master.put(unit.as_mut(), ("A", "one", 1), None).await.unwrap();
        master.put(unit.as_mut(), ("A", "two", 2), Some(1)).await.unwrap();
        unit.commit().await.unwrap();
        let mut unit = writing(&store).await;
        for (code, expected) in [("A", 1), ("A", 3), ("B", 1)] {
            let error = master.put(unit.as_mut(), (code, "late", 9), Some(expected)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::VersionConflict, "{master:?} {code} {expected}: {error}");
        }
        // An update to what is there already is an update all the same.
        master.put(unit.as_mut(), ("A", "two", 2), Some(2)).await.unwrap();
        master.put(unit.as_mut(), ("A", "three", 3), Some(2)).await.unwrap();
        let found = master.find(unit.as_mut(), &["A", "B"]).await;
        assert_eq!(found, [Some(("A".to_owned(), "three".to_owned(), 3)), None], "{master:?}");
        unit.commit().await.unwrap();
    }
}

/// Lists ascend byte by byte, whatever the size of the pages.
pub async fn lists_ascend_byte_by_byte_in_pages(store: Arc<dyn Store>) {
    let mut expected = ["A", "A B", "A-B", "AB", "B", "Z", "_", "a", "aB", "b", "ß", "é", "e\u{301}", "ශ්‍රී", "😀", "ﬀ"]
        .map(|code| code.replace('\u{200d}', ""));
    for master in Master::EVERY {
        let mut unit = writing(&store).await;
        for code in expected.iter().rev() {
            master.put(unit.as_mut(), (code, "name", 1), None).await.unwrap();
        }
        unit.commit().await.unwrap();
    }
    expected.sort_unstable();
    let mut unit = reading(&store).await;
    let exactly = u32::try_from(expected.len()).unwrap();
    for master in Master::EVERY {
        for limit in [1, 2, 5, exactly, exactly + 1, 1_000] {
            assert_eq!(master.list_all(unit.as_mut(), limit).await, expected, "{master:?} by {limit}");
        }
    }
}

/// An empty store has empty lists, which end at once.
pub async fn an_empty_list_ends_at_once(store: Arc<dyn Store>) {
    let mut unit = reading(&store).await;
    for master in Master::EVERY {
        let page = master.list(unit.as_mut(), &PageRequest::first(10)).await;
        assert_eq!((page.items.len(), page.next), (0, None), "{master:?}");
    }
}

/// Everything about an agent comes back as it was written, and can be taken away again.
pub async fn an_agent_is_kept_in_full(store: Arc<dyn Store>) {
    let consent = |granted, at| Consent { granted, at: noon(at), how: text("signed form") };
    let full = moon_core::Agent {
        contact: Contact { email: Some(text("agt001@example.com")), phone: Some(text("+94 11 000 0000")) },
        time_zone: Some("Europe/Berlin".parse().unwrap()),
        status: AgentStatus::Left,
        consents: Consents {
            performance_analytics: Some(consent(true, "2026-01-02")),
            notifications: Some(consent(false, "2026-01-03")),
        },
        ..agent("AGT001")
    };
    let suspended = moon_core::Agent { status: AgentStatus::Suspended, ..agent("AGT002") };
    let mut unit = writing(&store).await;
    unit.agents().put(&full, None).await.unwrap();
    unit.agents().put(&suspended, None).await.unwrap();
    unit.commit().await.unwrap();
    let codes = [agent_code("AGT001"), agent_code("AGT002")];
    let mut unit = writing(&store).await;
    for lock in [Lock::None, Lock::Share, Lock::Exclusive] {
        let found = unit.agents().find(&codes, lock).await.unwrap();
        assert_eq!(found, [Some(full.clone()), Some(suspended.clone())], "{lock:?}");
    }
    let bare = moon_core::Agent { version: Version(2), ..agent("AGT001") };
    unit.agents().put(&bare, Some(Version::FIRST)).await.unwrap();
    unit.commit().await.unwrap();
    let found = reading(&store).await.agents().list(&PageRequest::first(1)).await.unwrap();
    assert_eq!(found.items, [bare]);
}

/// Everything about branches and products comes back as it was written, and can be taken away again.
pub async fn branches_and_products_are_kept_in_full(store: Arc<dyn Store>) {
    let kandy = Branch { region: Some(text("Central")), ..branch("KANDY") };
    let life = moon_core::Product { line: Some(text("life")), free_look_days: Some(u16::MAX), ..product("LIFE") };
    let mut unit = writing(&store).await;
    unit.organisation().put_branch(&kandy, None).await.unwrap();
    unit.products().put(&life, None).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = writing(&store).await;
    assert_eq!(unit.organisation().find_branches(&[branch_code("KANDY")]).await.unwrap(), [Some(kandy)]);
    assert_eq!(unit.products().find(&[product_code("LIFE")]).await.unwrap(), [Some(life)]);
    let kandy = Branch { version: Version(2), ..branch("KANDY") };
    let life = moon_core::Product { free_look_days: Some(0), version: Version(2), ..product("LIFE") };
    unit.organisation().put_branch(&kandy, Some(Version::FIRST)).await.unwrap();
    unit.products().put(&life, Some(Version::FIRST)).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = reading(&store).await;
    assert_eq!(unit.organisation().find_branches(&[branch_code("KANDY")]).await.unwrap(), [Some(kandy)]);
    assert_eq!(unit.products().find(&[product_code("LIFE")]).await.unwrap(), [Some(life)]);
}
