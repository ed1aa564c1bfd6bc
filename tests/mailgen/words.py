"""What generated mail is made of: people, words in several scripts, charsets, attachments and mailboxes, with weights."""

FIRST_NAMES = """Ada Björn Chloé Dmitri Ewa François Gül Hans Inês José Karen Łukasz Mária Nguyễn Olga Pedro Renée Søren
Tom Věra Wei Xavier Yuki Zoë Иван Мария 健太 美咲 王伟 이준""".split()
LAST_NAMES = "Smith Müller Dubois García Rossi Novák Kowalski Jensen Silva Иванов Петрова 田中 佐藤 李 김 O'Brien Åkesson Lee".split()
DOMAINS = ["example.com", "example.org", "mail.example.net", "corp.example", "shop.example"]

ENGLISH = """the of and to in a is that for it as was with be by on not at are this have from or had an they which one you
were all there would their we has when who will no more if out so about than into them can only other time new some
invoice meeting project deadline budget release server customer contract shipment schedule report attached please
regards thanks review update quarterly draft proposal migration ticket""".split()
FRENCH_GERMAN = """über für größer naïve café déjà vu Straße élève garçon reçu Noël Überweisung Rechnung schöne Grüße
à bientôt señor mañana coração""".split()
POLISH_CZECH = "zażółć gęślą jaźń spotkanie umowa płatność dziękuję příliš žluťoučký kůň smlouva schůzka děkuji".split()
RUSSIAN = "привет как дела договор счёт оплата встреча завтра проект отчёт письмо спасибо срок сервер вопрос ответ".split()
JAPANESE = "会議の件 お世話になっております 請求書 ありがとうございます 東京本社 明日の予定 資料を添付します 確認してください".split()
CHINESE = "您好 附件是合同 会议安排 谢谢 项目进度 请确认 发票 北京办公室 下周 报告".split()
KOREAN = "안녕하세요 회의 일정 계약서 감사합니다 확인 부탁드립니다 첨부 파일 보고서".split()

# (charset, words, weight)
LANGUAGES: list[tuple[str, list[str], int]] = [
    ("us-ascii", ENGLISH, 40),
    ("utf-8", ENGLISH + FRENCH_GERMAN, 28),
    ("iso-8859-1", ENGLISH + FRENCH_GERMAN[:-4], 8),
    ("windows-1252", ENGLISH + FRENCH_GERMAN, 6),
    ("iso-8859-2", POLISH_CZECH, 3),
    ("koi8-r", RUSSIAN, 3),
    ("windows-1251", RUSSIAN, 2),
    ("iso-2022-jp", JAPANESE, 2),
    ("shift_jis", JAPANESE, 2),
    ("gb18030", CHINESE, 2),
    ("euc-kr", KOREAN, 2),
    ("utf-8", JAPANESE + CHINESE + KOREAN, 2),
]

# (media type, extension, median size in bytes, weight)
ATTACHMENTS: list[tuple[str, str, int, int]] = [
    ("application/pdf", "pdf", 120_000, 34),
    ("image/jpeg", "jpg", 180_000, 26),
    ("image/png", "png", 60_000, 14),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx", 40_000, 10),
    ("application/zip", "zip", 300_000, 6),
    ("text/csv", "csv", 12_000, 5),
    ("application/octet-stream", "bin", 50_000, 5),
]
FILE_STEMS = ["invoice", "report", "Rechnung März", "résumé", "отчёт", "請求書", "plan (final)", "scan 0042", "a" * 90]

# (mailbox path, weight); INBOX is the one that people triage
MAILBOXES: list[tuple[tuple[str, ...], int]] = [
    (("INBOX",), 60),
    (("Archive",), 12),
    (("Sent",), 8),
    (("Lists", "moth & relay"), 8),
    (("Projekte", "Ärger"), 6),
    (("日本語",), 3),
    (("Отчёты", "2025"), 3),
]
