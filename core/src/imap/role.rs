//! What a mailbox is for (SPECIAL-USE, RFC 6154).

use std::fmt;

/// The special use of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// The inbox; not a special-use attribute, but a place all the same.
    Inbox,
    /// `\All`: every message.
    All,
    /// `\Archive`.
    Archive,
    /// `\Drafts`.
    Drafts,
    /// `\Flagged`.
    Flagged,
    /// `\Important` (RFC 8457).
    Important,
    /// `\Junk`.
    Junk,
    /// `\Sent`.
    Sent,
    /// `\Trash`.
    Trash,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Role] = &[
        Self::Inbox,
        Self::All,
        Self::Archive,
        Self::Drafts,
        Self::Flagged,
        Self::Important,
        Self::Junk,
        Self::Sent,
        Self::Trash,
    ];

    /// `inbox`, `all`, `archive`, …
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::All => "all",
            Self::Archive => "archive",
            Self::Drafts => "drafts",
            Self::Flagged => "flagged",
            Self::Important => "important",
            Self::Junk => "junk",
            Self::Sent => "sent",
            Self::Trash => "trash",
        }
    }

    /// The attribute that CREATE (CREATE-SPECIAL-USE) and LIST write; the inbox has none.
    #[must_use]
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Inbox => None,
            Self::All => Some("\\All"),
            Self::Archive => Some("\\Archive"),
            Self::Drafts => Some("\\Drafts"),
            Self::Flagged => Some("\\Flagged"),
            Self::Important => Some("\\Important"),
            Self::Junk => Some("\\Junk"),
            Self::Sent => Some("\\Sent"),
            Self::Trash => Some("\\Trash"),
        }
    }

    /// The role of that name, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str().eq_ignore_ascii_case(name))
    }

    /// The role that an attribute of LIST names, or one of XLIST (Gmail's forerunner of SPECIAL-USE).
    #[must_use]
    pub fn from_attribute(attribute: &str) -> Option<Self> {
        match attribute.strip_prefix('\\')? {
            name if name.eq_ignore_ascii_case("AllMail") => Some(Self::All),
            name if name.eq_ignore_ascii_case("Spam") => Some(Self::Junk),
            name if name.eq_ignore_ascii_case("Starred") => Some(Self::Flagged),
            name => Self::parse(name),
        }
    }

    /// The role that a name suggests, for servers without SPECIAL-USE: what clients and providers call such mailboxes
    /// in several languages. A guess, good for reading; ask before writing to it.
    ///
    /// Only names at the top, or directly below the inbox or a provider's own root (`[Gmail]`), are looked at.
    #[must_use]
    pub fn guess(name: &str, delimiter: Option<char>) -> Option<Self> {
        if name.eq_ignore_ascii_case("INBOX") {
            return Some(Self::Inbox);
        }
        let leaf = match delimiter.and_then(|delimiter| name.split_once(delimiter)) {
            None => name,
            Some((root, leaf)) if is_root(root) => leaf,
            Some(_) => return None,
        };
        let leaf = leaf.trim().to_lowercase();
        NAMES.iter().find(|(_, names)| names.contains(&leaf.as_str())).map(|(role, _)| *role)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_root(name: &str) -> bool {
    ["INBOX", "[Gmail]", "[Google Mail]"].iter().any(|root| root.eq_ignore_ascii_case(name))
}

/// Lower-case names by role: English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Norwegian,
/// Finnish, Polish, Czech, Russian, Ukrainian, Turkish, Japanese, Chinese, Korean.
const NAMES: &[(Role, &[&str])] = &[
    (
        Role::All,
        &["all mail", "all", "alle nachrichten", "tous les messages", "todos", "tutti i messaggi", "вся почта"],
    ),
    (
        Role::Archive,
        &[
            "archive",
            "archives",
            "archiv",
            "archivo",
            "archivio",
            "arquivo",
            "archief",
            "arkiv",
            "arkisto",
            "archiwum",
            "архив",
            "архів",
            "arşiv",
            "アーカイブ",
            "归档",
            "存档",
            "보관함",
        ],
    ),
    (
        Role::Drafts,
        &[
            "drafts",
            "draft",
            "entwürfe",
            "entwurf",
            "brouillons",
            "borradores",
            "bozze",
            "rascunhos",
            "concepten",
            "utkast",
            "kladder",
            "luonnokset",
            "szkice",
            "kopie robocze",
            "koncepty",
            "rozepsané",
            "черновики",
            "чернетки",
            "taslaklar",
            "下書き",
            "草稿箱",
            "草稿",
            "임시보관함",
        ],
    ),
    (Role::Flagged, &["flagged", "starred", "markiert", "suivis", "destacados", "speciali", "помеченные"]),
    (Role::Important, &["important", "wichtig", "importants", "importante", "importanti", "важное"]),
    (
        Role::Junk,
        &[
            "junk",
            "spam",
            "junk e-mail",
            "junk email",
            "junk mail",
            "bulk mail",
            "bulk",
            "spamverdacht",
            "courrier indésirable",
            "indésirables",
            "pourriel",
            "correo no deseado",
            "posta indesiderata",
            "lixo eletrônico",
            "ongewenste e-mail",
            "skräppost",
            "søppelpost",
            "uønsket mail",
            "roskaposti",
            "wiadomości-śmieci",
            "nevyžádaná pošta",
            "спам",
            "önemsiz",
            "迷惑メール",
            "垃圾邮件",
            "垃圾箱",
            "스팸메일함",
        ],
    ),
    (
        Role::Sent,
        &[
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
            "sent-mail",
            "gesendet",
            "gesendete objekte",
            "gesendete elemente",
            "gesendete nachrichten",
            "envoyés",
            "éléments envoyés",
            "messages envoyés",
            "enviados",
            "elementos enviados",
            "inviati",
            "posta inviata",
            "posta inviata",
            "itens enviados",
            "verzonden",
            "verzonden items",
            "skickat",
            "skickade objekt",
            "sendt",
            "sendte elementer",
            "lähetetyt",
            "wysłane",
            "elementy wysłane",
            "odeslané",
            "odeslaná pošta",
            "отправленные",
            "надіслані",
            "gönderilmiş öğeler",
            "gönderilenler",
            "送信済み",
            "送信済みメール",
            "已发送",
            "已发送邮件",
            "보낸편지함",
        ],
    ),
    (
        Role::Trash,
        &[
            "trash",
            "deleted",
            "deleted items",
            "deleted messages",
            "bin",
            "papierkorb",
            "gelöscht",
            "gelöschte elemente",
            "gelöschte objekte",
            "corbeille",
            "éléments supprimés",
            "papelera",
            "elementos eliminados",
            "cestino",
            "posta eliminata",
            "lixeira",
            "itens excluídos",
            "prullenbak",
            "verwijderde items",
            "papperskorgen",
            "borttagna objekt",
            "papirkurv",
            "slettede elementer",
            "roskakori",
            "poistetut",
            "kosz",
            "elementy usunięte",
            "koš",
            "корзина",
            "удаленные",
            "кошик",
            "çöp kutusu",
            "ゴミ箱",
            "已删除",
            "已删除邮件",
            "휴지통",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_attributes_agree() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(*role));
            assert_eq!(role.attribute().and_then(Role::from_attribute), (*role != Role::Inbox).then_some(*role));
        }
        assert_eq!(Role::from_attribute("\\SENT"), Some(Role::Sent));
        assert_eq!(Role::from_attribute("\\AllMail"), Some(Role::All));
        assert_eq!(Role::from_attribute("Sent"), None);
        assert_eq!(Role::from_attribute("\\HasChildren"), None);
    }

    #[test]
    fn names_suggest_roles_at_the_top_and_below_the_inbox_only() {
        assert_eq!(Role::guess("Gesendete Objekte", Some('/')), Some(Role::Sent));
        assert_eq!(Role::guess("INBOX.Trash", Some('.')), Some(Role::Trash));
        assert_eq!(Role::guess("[Gmail]/Корзина", Some('/')), Some(Role::Trash));
        assert_eq!(Role::guess("ENTWÜRFE", None), Some(Role::Drafts));
        assert_eq!(Role::guess("inbox", Some('/')), Some(Role::Inbox));
        assert_eq!(Role::guess("Clients/Archive", Some('/')), None);
        assert_eq!(Role::guess("Sentinel", Some('/')), None);
    }

    #[test]
    fn no_name_suggests_two_roles() {
        let mut seen = std::collections::HashMap::new();
        for (role, name) in NAMES.iter().flat_map(|(role, names)| names.iter().map(move |name| (role, name))) {
            assert_eq!(name.to_lowercase(), *name);
            assert_eq!(seen.insert(name, role).unwrap_or(role), role, "{name}");
        }
    }
}
