"""The one list of nasty names: what strangers write into display names, error texts and solution files."""

TERMINAL = {
    "clears the screen": "\x1b[2J\x1b[1;1Hgone",
    "sets the window title": "\x1b]0;owned\x07name",
    "8-bit escape": "\x9b31mred",
    "hyperlink": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "bell and backspace": "a\x07\x08\x08b",
    "carriage return overwrites": "safe\rEVIL",
    "new lines forge rows": "one\ntwo\r\nthree",
    "bidirectional override": "invoice\u202efdp.exe",
    "bidirectional isolate": "a\u2066b\u2069c",
    "zero width": "pay\u200bpal\ufeff",
    "null byte": "a\x00b",
    "line separator": "a\u2028b\u2029c\x85d",
    "lone surrogate": "a\ud800b",
    "tag characters": "ok\U000e0041\U000e0042",
}
MARKUP = {
    "rich markup": "[bold red]boo[/] [link=https://evil.example]x[/link]",
    "rich closing tag alone": "[/]",
    "emoji code": ":skull:",
    "script": "<script>alert(1)</script>",
    "attribute breakout": "\" onmouseover='alert(1)' x=\"",
    "svg": "<svg/onload=alert(1)>",
    "entity": "&lt;b&gt; &#x3c;script&#x3e;",
    "jinja": "{{ 7*7 }}{% raw %}",
    "markdown link": "[x](javascript:alert(1))",
    "markdown image": "![x](https://evil.example/p.png)",
    "markdown table": "a | b | c",
    "markdown code": "`rm -rf /`",
    "format string": "%s %n {0} {__class__}",
}
FORMULA = {
    "formula": '=HYPERLINK("https://evil.example","x")',
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3",
    "at": "@SUM(1)",
    "tab before": "\t=1+1",
    "blank before": "  =1+1",
    "line break before": "\n=1+1",
    "full-width equals": "＝1+1",
    "quote breakout": '","=1+1',
}
PLAIN = {
    "empty": "",
    "blank": "   ",
    "very long": "x" * 5000,
    "umlauts": "Größe ÄÖÜ ß",
    "japanese": "接続エラー",
    "arabic": "اتصال مقطوع",
    "family emoji": "👩‍👩‍👧‍👦",
    "combining": "e\u0301" * 3 + "\u0489" * 20,
    "quote": "O'Brien's \"db\"",
    "path": "../../etc/passwd",
    "sql": "]; DROP TABLE users; --",
    "windows device": "CON",
}

NASTY = {**TERMINAL, **MARKUP, **FORMULA, **PLAIN}
