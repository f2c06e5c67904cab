# ruff: noqa: RUF001 - other alphabets have letters that look like ours
"""How exchanges speak of withdrawals in the languages they speak to their customers: the literal table of `wording`.

Patterns are regular expressions for text that was folded: small letters, no dotless i, full-width forms made plain.
"""

import re

from msgspec import Struct

_NEVER = r"(?!)"


class Language(Struct, frozen=True, kw_only=True):
    withdrawals: str  # of crypto: what is said of money at banks is not
    stopped: str
    to_stop: str  # forms that count only as something to come: "will suspend"
    resumed: str
    impaired: str
    calm: str  # what is said of withdrawals that do work, behind their name
    calm_first: str = _NEVER  # the same before it
    maintenance: str
    wallet_maintenance: str  # which stops withdrawals without naming them
    future: str
    condition: str = _NEVER  # before a verb: it is not said to be so
    cut: str  # words that separate withdrawals from a verb that belongs to something else
    lasting: str = _NEVER  # a stop that goes on whatever else has resumed
    verb_first: bool = True  # the verb may stand before its object
    reach: int = 80  # most characters between the two
    future_behind: int = 0  # characters behind the verb in which it is said that it is still to come


ENGLISH = Language(
    withdrawals=r"(?<!fiat )(?<!bank )(?<!sepa )(?<!wire )(?<!ach )(?<!swift )(?<!card )(?<!eur )(?<!usd )(?<!gbp )"
    r"\bwithdraw(?:als?|ing)\b|(?<!fiat )\bfunding\b(?! (?:rate|fee|round|interval|payment))"
    r"|\bsends?(?=(?:/| and | & )receives?\b)|(?<=paused )sends\b|(?<=delayed )sends\b|(?<=resumed )sends\b",
    stopped=r"\b(?:suspend(?:ed|s|ing)|paus(?:ed|es|ing)|pause (?:of|on|in)|halt(?:ed|s|ing)|halt (?:of|on|to|in)"
    r"|disabl(?:ed|es|ing)|stopped|stopping|froze|frozen|closed|closing|suspension of|unavailable|on hold"
    r"|not (?:currently )?(?:available|possible|being processed)|no longer available|under(?:going)? maintenance)\b",
    to_stop=r"\b(?:suspend|pause|halt|disable|stop|close|suspension|interrupted)\b",
    resumed=r"\b(?:resumed|re-?opened|restored|re-?enabled|reinstated|unpaused|reactivated|resumption of"
    r"|lifted the suspension"
    r"|back (?:to normal|online|up)|(?:available|normal|operational|open) again"
    r"|(?:operating|processing|processed|working|functioning) (?:normally |as normal )?again"
    r"|(?:resolved|fixed) (?:the |an |this |that )?(?:\w+ ){0,2}(?:issues?|problems?|difficulties|delays?)"
    r"|(?:has|have|is|are|was|were) (?:now |been |fully )*(?:resolved|fixed))\b",
    impaired=r"\b(?:delay(?:s|ed|ing)?|slow(?:er|ly|ness)?|degraded|backlog(?:ged)?|congest(?:ed|ion)|stuck"
    r"|fail(?:s|ing|ures?|ed)|issues?|problems?|difficult(?:y|ies)|disrupt(?:ed|ions?)|interruptions?"
    r"|intermittent(?:ly)?"
    r"|longer than (?:usual|normal|expected)|trouble|catching up|may (?:be|see|take"
    r"|experience) (?:\w+ )?(?:delay\w*|longer))\b",
    calm=r"\b(?:available|unaffected|not (?:be |been )?(?:affected|impacted|interrupted|suspended|paused|halted)"
    r"|normal(?:ly)?|open|operational|as usual|uninterrupted|only|work(?:s|ing)?(?! (?:on|to))"
    r"|without (?:any )?(?:delays?"
    r"|interruptions?|issues?)"
    r"|no (?:delays?|issues?))\b(?! again)",
    calm_first=r"\b(?:no (?:impact|effect|issues?|delays?|problems?)|not (?:affect|impact)(?:ing)?"
    r"|without affecting)\b",
    maintenance=r"\bmaintenance\b|\b(?:network|wallet|system|node|mainnet) upgrades?\b|\bhard ?forks?\b",
    wallet_maintenance=r"\bwallet maintenance\b",
    future=r"\b(?:will|shall|would|going to|to be|plan(?:s|ning)? to|scheduled (?:to|for)|about to|intends? to"
    r"|expect(?:s|ed)? to"
    r"|aim(?:s|ing)? to|working to|soon)\b|['\u2019]ll\b",
    condition=r"\b(?:if|once|until|unless|when|whenever|as soon as|in case|in the event|how to|why|whether|to avoid"
    r"|to prevent|rumou?rs?|fake|fud|(?:time|date) (?:of|for))\b|\b(?:before|after|upon)\W*$|\b(?:before"
    r"|after) (?:we|it|they"
    r"|having)\b[^,]{0,12}$",
    cut=r"\b(?:but|while|whereas|however|although|though|available|unaffected|normal|normally|open|not|no|without|never"
    r"|may|might|could|once|until|unless|if|(?<!and )trading (?:is|are|was|has|remains))\b|, trading\b",
    lasting=r"\b(?:remains?|still|continues? to be|stays?|again|once more)\b",
)

CHINESE = Language(
    withdrawals=r"(?<!法币)(?<!法幣)(?:提现|提現|提币|提幣|提款|提领|提領|充提)",
    stopped=r"暂停|暫停|停止|关闭|關閉|中止|冻结|凍結|停用|禁用|暂不可用|暫不可用",
    to_stop=r"暂停|暫停|停止|关闭|關閉",
    resumed=r"恢复|恢復|重新开放|重新開放|重新开启|重新開啟|重启|重啟",
    impaired=r"延迟|延遲|延误|延誤|缓慢|緩慢|较慢|較慢|拥堵|擁堵|拥塞|异常|異常|问题|問題|故障|困难|困難|积压|積壓",
    calm=r"正常|不受影响|不受影響|可用|不变|不變|仍可|照常|开放中|開放中",
    calm_first=r"不(?:会|會)?影(?:响|響)",
    maintenance=r"维护|維護|升级|升級|硬分叉|检修|檢修",
    wallet_maintenance=r"钱包维护|錢包維護",
    future=r"将|將|拟|擬|计划|計劃|预计|預計|后续|後續|届时|屆時|(?:恢复|恢復)(?:时间|時間|后|後|前|日期)",
    condition=r"如果|若|如需|一旦|待|直至|直到|如何|为何|為何|为什么|為什麼|何时|何時",
    cut=r"但|然而|不过|不過|不受|正常|可用|开放|開放|,",
    lasting=r"仍|继续|繼續|再次|依然|依旧|依舊",
    reach=40,
    future_behind=4,
)

KOREAN = Language(
    withdrawals=r"(?<!원화 )(?<!원화)(?<!원화 입)(?<!원화입)출금",
    stopped=r"중단|중지|정지|불가",
    to_stop=r"중단|중지|정지",
    resumed=r"재개|정상화",
    impaired=r"지연|장애|문제|느려|정체|오류",
    calm=r"정상(?!화)|가능(?! ?여부)|영향(?:이|은)? ?없|문제(?:가|는)? ?없",
    maintenance=r"점검|업그레이드|하드포크|메인넷 전환",
    wallet_maintenance=r"지갑 (?:시스템 )?점검",
    future=r"예정|(?:중단|중지|정지)(?:될|할)"
    r"|(?:재개|정상화)(?:될|할|되면|하면| ?시점| ?시기| ?일정| ?여부| ?시 | ?전|까지)",
    condition=r"만약|만일",
    cut=r"하지만|그러나|반면|않|없",
    lasting=r"계속|여전히|다시|재차",
    verb_first=False,
    reach=45,
    future_behind=12,
)

JAPANESE = Language(
    withdrawals=r"出金|引き出し|出庫|送付",
    stopped=r"停止|中断|休止|見合わせ|できません|できない状",
    to_stop=r"停止|中断|休止|見合わせ",
    resumed=r"再開|復旧",
    impaired=r"遅延|遅れ|障害|不具合|滞留|時間がかか|時間を要|問題|混雑",
    calm=r"通常(?:通り|どおり)|影響(?:は|も|が)?(?:ありません|ございません|ない|なし)|可能|ご利用いただけます|正常",
    maintenance=r"メンテナンス|アップグレード|ハードフォーク|アップデート",
    wallet_maintenance=r"ウォレット(?:の)?メンテナンス",
    future=r"予定|いたします|します|する見込|(?:再開|復旧)(?:時期|次第|まで|後|する|日時|の(?:時期|見込み|目処|めど))",
    condition=r"もし|万が一",
    cut=r"ただし|一方|しかし|可能|通常",
    lasting=r"引き続き|再度|依然|継続",
    verb_first=False,
    reach=45,
    future_behind=12,
)

SPANISH = Language(
    withdrawals=r"\bretiros?\b|\bretiradas?\b",
    stopped=r"\b(?:suspendid[oa]s?|suspendimos|suspendió|suspendiendo|pausad[oa]s?|pausamos|detenid[oa]s?|detuvimos"
    r"|deshabilitad[oa]s?|desactivad[oa]s?|paralizad[oa]s?|interrumpid[oa]s?|suspensión (?:temporal )?de"
    r"|no (?:están |está )?disponibles?)\b",
    to_stop=r"\b(?:suspender\w*|pausar\w*|detendr\w*|deshabilitar\w*|interrumpir\w*)\b",
    resumed=r"\b(?:reanudad[oa]s?|reanudamos|reanudó|reanudaron|restablecid[oa]s?|reactivad[oa]s?|rehabilitad[oa]s?"
    r"|reabiert[oa]s?|normalizad[oa]s?|disponibles? (?:de nuevo|nuevamente))\b",
    impaired=r"\b(?:retras\w+|demor\w+|lent[oa]s?|lentitud|problemas?|dificultad(?:es)?|inconvenientes?|congesti\w+"
    r"|intermiten\w+)\b",
    calm=r"\b(?:disponibles?|normal\w*|abiert[oa]s?|operativ[oa]s?|no (?:se verán |se ven |están )?(?:afectad"
    r"|suspendid)[oa]s"
    r"|sin (?:demoras?|retrasos?|interrupci\w+|problemas?|cambios))\b(?! (?:de nuevo|nuevamente))",
    calm_first=r"\b(?:no afecta\w*|sin afectar)\b",
    maintenance=r"\bmantenimiento\b|\bactualización de (?:la )?red\b|\bhard ?fork\b",
    wallet_maintenance=r"\bmantenimiento de (?:la |las )?(?:billetera|cartera|monedero|wallet)s?\b",
    future=r"\b(?:va|van|vamos) a\b|\b(?:será|serán|estará|estarán|\w+(?:remos|rán|rá))\b",
    condition=r"\b(?:si|una vez|cuando|hasta|en caso)\b",
    cut=r"\b(?:pero|mientras|aunque|sin|no|disponibles?|normal\w*|una vez|hasta|cuando|si)\b",
    lasting=r"\b(?:siguen?|continúan?|permanecen?|todavía|aún|de nuevo|nuevamente)\b",
)

PORTUGUESE = Language(
    withdrawals=r"\bsaques?\b|\bretiradas?\b|\blevantamentos?\b",
    stopped=r"\b(?:suspens[oa]s?|suspendemos|suspendeu|suspendendo|pausad[oa]s?|pausamos|interrompid[oa]s?"
    r"|desativad[oa]s?"
    r"|desabilitad[oa]s?|paralisad[oa]s?|suspensão (?:temporária )?d[eao]s?|indispon[ií]ve(?:l|is))\b",
    to_stop=r"\b(?:suspender\w*|pausar\w*|interromper\w*|desativar\w*)\b",
    resumed=r"\b(?:retomad[oa]s?|retomamos|retomou|restabelecid[oa]s?|reativad[oa]s?|reabert[oa]s?|normalizad[oa]s?"
    r"|disponíve(?:l|is) novamente)\b",
    impaired=r"\b(?:atras\w+|demora\w*|lent[oa]s?|lentidão|problemas?|dificuldades?|instabilidad\w+|congestion\w+)\b",
    calm=r"\b(?:disponíve(?:l|is)|normal\w*|abert[oa]s?|não (?:serão |foram |são |estão )?(?:afetad|suspens)[oa]s"
    r"|sem (?:atrasos?|interrup\w+|problemas?))\b(?! novamente)",
    calm_first=r"\b(?:não afeta\w*|sem afetar)\b",
    maintenance=r"\bmanutenç(?:ão|ões)\b|\batualização da rede\b|\bhard ?fork\b",
    wallet_maintenance=r"\bmanutenção (?:da |de |das )?(?:carteira|wallet)s?\b",
    future=r"\b(?:vai|vão|vamos|será|serão|estará|estarão|\w+(?:remos|rão|rá))\b",
    condition=r"\b(?:se|assim que|quando|até|caso)\b",
    cut=r"\b(?:mas|enquanto|porém|embora|não|sem|disponíve(?:l|is)|normal\w*|assim que|até|quando)\b",
    lasting=r"\b(?:continuam?|permanecem?|seguem?|ainda|novamente)\b",
)

FRENCH = Language(
    withdrawals=r"\bretraits?\b",
    stopped=r"\b(?:suspendu\w*|suspendons|suspend|mis en pause|interrompu\w*|désactivé\w*|bloqué\w*|arrêté\w*"
    r"|suspension (?:temporaire )?des|indisponibles?)\b",
    to_stop=r"\b(?:suspendr\w+|interrompr\w+|désactiver\w*)\b",
    resumed=r"\b(?:repris\w*|rétabli\w*|réactivé\w*|rouvert\w*|reprise des|(?:de|à) nouveau (?:disponibles?"
    r"|opérationnels?"
    r"|possibles?|ouverts?))\b",
    impaired=r"\b(?:retard\w*|lent\w*|ralenti\w*|problèmes?|difficultés?|perturb\w+|congesti\w+)\b",
    calm=r"(?<!nouveau )\b(?:disponibles?|normalement|normaux|ouverts?|pas (?:affectés?|concernés?|suspendus?)"
    r"|sans (?:délai|retard|interruption))\b",
    calm_first=r"\b(?:n'affect\w+ pas|sans affecter)\b",
    maintenance=r"\bmaintenance\b|\bmise à (?:jour|niveau) du réseau\b|\bhard ?fork\b",
    wallet_maintenance=r"\bmaintenance (?:du |de |des )?(?:portefeuille|wallet)s?\b",
    future=r"\b(?:allons|va|vont|sera|seront|\w+(?:rons|ront|ra))\b",
    condition=r"\b(?:si|une fois|lorsque|quand|jusqu|dès que|en cas)\b",
    cut=r"\b(?:mais|tandis|alors que|cependant|pas|sans|disponibles?|normal\w*|une fois|jusqu|lorsque|quand)\b",
    lasting=r"\b(?:restent?|demeurent?|toujours|encore|à nouveau)\b",
)

GERMAN = Language(
    withdrawals=r"\bauszahlung(?:en)?\b|\babhebung(?:en)?\b",
    stopped=r"\b(?:ausgesetzt|pausiert|gestoppt|gesperrt|deaktiviert|eingestellt|unterbrochen|angehalten"
    r"|nicht (?:verfügbar|möglich)|aussetzung (?:der|von))\b",
    to_stop=r"\b(?:aussetzen|pausieren|stoppen|einstellen|unterbrechen)\b",
    resumed=r"\b(?:wieder (?:aufgenommen|möglich|verfügbar|aktiviert|geöffnet|freigegeben|normal)|wiederaufgenommen"
    r"|wiederhergestellt)\b",
    impaired=r"\b(?:verzöger\w+|langsam\w*|probleme?n?|schwierigkeiten|störung(?:en)?|beeinträchtig\w+|überlast\w*)\b",
    calm=r"(?<!wieder )(?<!nicht )\b(?:verfügbar|möglich|normal|uneingeschränkt|nicht (?:betroffen|beeinträchtigt"
    r"|ausgesetzt)"
    r"|ohne (?:verzögerung\w*|unterbrechung\w*))\b",
    maintenance=r"\b\w*wartung\w*\b|\bnetzwerk-?(?:upgrade|aktualisierung)\b|\bhard ?fork\b",
    wallet_maintenance=r"\bwallet-?wartung\b|\bwartung der wallets?\b",
    future=r"\b(?:wird|werden)\b",
    condition=r"\b(?:wenn|falls|sobald|bis|ob|nachdem)\b",
    cut=r"\b(?:aber|während|jedoch|obwohl|nicht|ohne|möglich|verfügbar|normal|sobald|bis|wenn|falls)\b",
    lasting=r"\b(?:weiterhin|bleib(?:en|t)|noch|erneut)\b",
)

TURKISH = Language(
    withdrawals=r"(?<!tl )(?<!try )\bçekim\w*|\bpara çekme\w*|\bçekme işlem\w*",
    stopped=r"durdur(?:uldu|ulmuş|duk|ulmakta|ulan)\w*|askiya (?:alindi|alinmiş\w*|aldik)|kapatil(?:di|miş)\w*"
    r"|kapalidir|kapali\b"
    r"|devre dişi|duraklat(?:ildi|tik)|yapilamamakta\w*",
    to_stop=r"durdur\w+|askiya al\w+|kapat\w+|kapali|duraklat\w+",
    resumed=r"(?:yeniden|tekrar) (?:kullanima )?(?:açil\w*di\w*|açilmiş\w*|başla(?:di|miş)\w*|başlatil\w*di\w*"
    r"|aktif\w*)|normale dön(?:dü|müş)\w*",
    impaired=r"gecik\w*|yavaş\w*|sorun\w*|aksama\w*|aksaklik\w*|yoğunluk\w*|problem\w*|kesinti\w*",
    calm=r"etkilenme\w*|normal(?!e)\w*|açik\w*|devam e[dt]\w*|kullanilabilir\w*",
    maintenance=r"bakim\w*|ağ (?:yükseltme|güncelleme)\w*",
    wallet_maintenance=r"cüzdan bakim\w*",
    future=r"(?:acak|ecek|acağ|eceğ)\w*",
    condition=r"\beğer\b|tamamlandiğinda|tamamlaninca",
    cut=r"\b(?:ancak|fakat|ama|iken)\b|normal(?!e)\w*|açik\w*|etkilenme\w*",
    lasting=r"\b(?:hâlâ|hala|halen|tekrar|yeniden)\b",
    verb_first=False,
)

RUSSIAN = Language(
    withdrawals=r"\bвывод(?:а|ы|ов|у|е|ом)?\b",
    stopped=r"\b(?:приостановлен\w*|приостановил\w*|приостанавлива\w*|приостановк\w*|остановлен\w*|отключ[её]н\w*"
    r"|заморожен\w*"
    r"|закрыт\w*|недоступ\w*)",
    to_stop=r"\b(?:приостанов\w*|останов\w*|отключ\w*)",
    resumed=r"\b(?:возобновл[её]н\w*|возобновил\w*|восстановлен\w*|(?:снова|вновь) (?:доступ|работа|открыт)\w*)",
    impaired=r"\b(?:задерж\w*|замедл\w*|медленн\w*|проблем\w*|сбо[йия]\w*|затруднен\w*|перебо\w*|трудност\w*)",
    calm=r"(?<!снова )(?<!вновь )\b(?:доступ(?:ен|ны|на)|открыт|не затронут\w*|работа(?:ет|ют))\b|в (?:обычном"
    r"|штатном) режиме",
    calm_first=r"\bне (?:влия\w+|затрагива\w+|затрон\w+)",
    maintenance=r"техническ\w+ (?:работ\w*|обслуживан\w*)|обслуживан\w*|обновлен\w+ (?:сети|кошельк\w*)|хардфорк\w*",
    wallet_maintenance=r"обслуживан\w+ кошельк\w*",
    future=r"\b(?:будет|будут|планиру\w+|приостановим|собираемся)\b",
    condition=r"\b(?:если|как только|когда|пока|после того|до тех пор)\b",
    cut=r"\b(?:но|однако|хотя|не|без|если|пока|тогда как)\b",
    lasting=r"\b(?:по-прежнему|все еще|всё ещё|оста[её]тся|остаются|снова|вновь)\b",
)

VIETNAMESE = Language(
    withdrawals=r"\brút\b",
    stopped=r"\b(?:tạm (?:dừng|ngưng|ngừng|khóa|đóng)|đình chỉ|ngừng|bị khóa|đã đóng|vô hiệu hóa)\b",
    to_stop=r"\b(?:tạm (?:dừng|ngưng|ngừng)|đình chỉ|ngừng)\b",
    resumed=r"\b(?:mở lại|khôi phục|hoạt động trở lại|bình thường trở lại|kích hoạt lại|nối lại)\b",
    impaired=r"\b(?:chậm|trì hoãn|sự cố|gián đoạn|vấn đề|tắc nghẽn|khó khăn)\b",
    calm=r"\b(?:bình thường(?! trở lại)|không (?:bị )?ảnh hưởng|vẫn (?:hoạt động|mở|khả dụng)|khả dụng)\b",
    calm_first=r"\bkhông ảnh hưởng\b",
    maintenance=r"\b(?:bảo trì|nâng cấp (?:mạng|ví|hệ thống)|hard ?fork)\b",
    wallet_maintenance=r"\bbảo trì ví\b",
    future=r"\bsẽ\b",
    condition=r"\b(?:nếu|khi|cho đến)\b",
    cut=r"\b(?:nhưng|trong khi|tuy nhiên|không|nếu|khi|cho đến|vẫn (?:hoạt|mở|khả|bình))\b",
    lasting=r"\b(?:vẫn|tiếp tục)\b",
)

INDONESIAN = Language(
    withdrawals=r"\bpenarikan\b",
    stopped=r"\b(?:ditangguhkan|menangguhkan|dihentikan|menghentikan|dinonaktifkan|ditutup|dijeda|penangguhan"
    r"|penghentian)\b",
    to_stop=r"\b(?:menangguhkan|menghentikan|menutup)\b",
    resumed=r"\b(?:(?:dilanjutkan|dibuka|diaktifkan|membuka|melanjutkan) kembali|kembali (?:dibuka|normal"
    r"|beroperasi|tersedia"
    r"|aktif|berjalan|dilanjutkan)|telah (?:pulih|dipulihkan|dilanjutkan))\b",
    impaired=r"\b(?:tertunda|penundaan|keterlambatan|terlambat|lambat|gangguan|masalah|kendala|kepadatan)\b",
    calm=r"(?<!kembali )\b(?:tersedia|normal|tidak (?:terpengaruh|terdampak|ditangguhkan)|tetap (?:dibuka|berjalan"
    r"|tersedia)"
    r"|seperti biasa)\b",
    calm_first=r"\btidak (?:memengaruhi|mempengaruhi)\b",
    maintenance=r"\b(?:pemeliharaan|maintenance|(?:peningkatan|upgrade) jaringan|hard ?fork)\b",
    wallet_maintenance=r"\bpemeliharaan (?:wallet|dompet)\b",
    future=r"\bakan\b",
    condition=r"\b(?:jika|apabila|bila|setelah|sampai|hingga|ketika)\b",
    cut=r"\b(?:tetapi|namun|meskipun|tidak|tanpa|jika|setelah|sampai|hingga|ketika|tetap (?:dibuka|berjalan"
    r"|tersedia))\b",
    lasting=r"\b(?:masih|tetap)\b",
)

LANGUAGES = (
    ENGLISH,
    CHINESE,
    KOREAN,
    JAPANESE,
    SPANISH,
    PORTUGUESE,
    FRENCH,
    GERMAN,
    TURKISH,
    RUSSIAN,
    VIETNAMESE,
    INDONESIAN,
)

MAINTENANCE_ANYWHERE = re.compile("|".join(f"(?:{language.maintenance})" for language in LANGUAGES))

DONE = re.compile(
    r"\b(?:complet|finish|conclu|finaliz|finalis|terminad|terminé|abgeschlossen|beendet|заверш|selesai|hoàn (?:tất"
    r"|thành))"
    r"|tamamland|完成|完了|완료|终了|終了"
)
"""What is over is not announced."""

TIME = re.compile(
    r"\d{1,2}[:：]\d{2}|\d{4}\s?[-/.年]\s?\d{1,2}|\d{1,2}\s?[月월]\s?\d{1,2}|\d{1,2}\s?[時时點点시]"
    r"|\b\d{1,2}\s?(?:am|pm|utc|gmt|uhr)\b|\b\d{1,2}[./]\d{1,2}\b"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w* \d{1,2}\b|\b\d{1,2}\.?(?: de)? \w+ (?:de )?20\d{2}\b"
    r"|\b(?:tomorrow|mañana|amanhã|demain|завтра|yarin|besok|ngày mai)\b|明日|明天|내일"
)
"""A time of day or a date, as announcements give them."""
