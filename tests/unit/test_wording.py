# ruff: noqa: E501, RUF001 - sentences stay whole, and other alphabets have letters that look like ours
"""What exchanges say of withdrawals, in the words they say it in."""

import random
from time import process_time

import pytest

from monitor.probes.wording import LONGEST_TEXT, plain, recognised

SUSPENDED = {
    "Binance, November 2021": "We have temporarily disabled all crypto withdrawals on Binance due to a large backlog.",
    "Celsius, June 2022": "Due to extreme market conditions, today we are announcing that Celsius is pausing all "
    "withdrawals, Swap, and transfers between accounts.",
    "Binance, June 2022": "Temporary pause of $BTC withdrawals on #Binance due to a stuck transaction causing a backlog.",
    "Binance, December 2022": "On USDC, we have seen an increase in withdrawals. We have temporarily paused USDC "
    "withdrawals while we do the token swap.",
    "Binance, May 2023": "We've temporarily closed $BTC withdrawals as we're experiencing a congestion issue.",
    "WazirX, July 2024": "To ensure the safety of your assets, INR and crypto withdrawals will be temporarily paused.",
    "Kraken, a coin": "Bonk (BONK) Deposits and Withdrawals Temporarily Suspended",
    "Kraken, as it calls both directions": "Stablr USD (USDR) and Stablr Euro (EURR) Funding Methods Halted",
    "both directions": "Deposits and withdrawals are temporarily suspended.",
    "Coinbase": "Paused Sends/Receives - Core DAO Network",
    "with deposits and trading": "Withdrawals, deposits and trading are suspended.",
    "after a cause": "After detecting suspicious activity we have halted withdrawals.",
    "not available": "Withdrawals are currently not available for ERC-20 tokens.",
    "trading goes on": "Withdrawals have been halted while we investigate. Trading is unaffected.",
    "closed again": "Withdrawals are paused again. We will share an update within 30 minutes.",
    "Chinese": "币安已暂停比特币(BTC)的提现业务。",
    "Chinese, the object first": "所有币种的充值、提现已暂停，交易不受影响。",
    "traditional Chinese": "由於錢包異常，平台已暫停所有提領服務。",
    "Korean": "[안내] 아발란체(AVAX) 입출금 일시 중단 안내",
    "Korean, a sentence": "네트워크 이슈로 인해 출금 서비스가 일시적으로 중지되었습니다.",
    "Japanese": "現在、ビットコインの出金を一時停止しております。",
    "Spanish": "Los retiros de Bitcoin están temporalmente suspendidos.",
    "Spanish, the verb first": "Hemos suspendido temporalmente los depósitos y retiros.",
    "Portuguese": "Os saques em BTC estão temporariamente suspensos.",
    "Turkish": "Bitcoin çekim işlemleri geçici olarak durdurulmuştur.",
    "Turkish, in capitals": "PARA ÇEKME İŞLEMLERİ ASKIYA ALINDI",
    "Russian": "Вывод средств временно приостановлен.",
    "Russian, the verb first": "Мы временно приостановили вывод USDT.",
    "Vietnamese": "Chúng tôi đã tạm dừng rút tiền trên mạng Solana.",
    "Indonesian": "Penarikan BTC untuk sementara ditangguhkan.",
    "German": "Auszahlungen sind vorübergehend ausgesetzt.",
    "French": "Les retraits sont temporairement suspendus.",
}

RESUMED = {
    "Binance, February 2026": "The issue has been identified and fixed. Withdrawals have resumed.",
    "in short": "BTC withdrawals resumed at 15:32 UTC.",
    "the verb first": "Binance Has Completed the Network Upgrade and Resumed Deposits and Withdrawals",
    "what is left": "Withdrawals have resumed. You may still see delays in withdrawals as we work through the backlog.",
    "with what happened": "Withdrawals were temporarily paused for 20 minutes this morning. Withdrawals have now resumed.",
    "a cause that is gone": "The issue affecting ETH withdrawals has been resolved.",
    "normally again": "Withdrawals of SOL are operating normally again since 12:40 UTC.",
    "a title": "Notice on the Resumption of Withdrawals of USDT",
    "after a comma": "After the upgrade was completed, withdrawals were reopened.",
    "Coinbase": "Resumed Sends/Receives - Solana",
    "Chinese": "网络升级已完成，充值、提现业务已恢复。",
    "traditional Chinese": "以太坊網路的提現服務現已恢復。",
    "Korean": "아발란체(AVAX) 입출금 재개 안내",
    "Korean, a title that grew": "드리프트(DRIFT) 입출금 일시 중단 안내(04/02 출금 재개)",
    "Japanese": "出金サービスを再開いたしました。",
    "Spanish": "Los retiros se han reanudado.",
    "Portuguese": "Os saques foram retomados.",
    "Turkish": "Çekim işlemleri yeniden açılmıştır.",
    "Russian": "Вывод средств возобновлён.",
    "Vietnamese": "Dịch vụ rút tiền đã được mở lại.",
    "Indonesian": "Penarikan telah dibuka kembali.",
    "German": "Auszahlungen sind wieder möglich.",
    "French": "Les retraits ont repris.",
}

DELAYED = {
    "Binance, October 2023": "We are aware of a technical issue with crypto withdrawals. Fiat withdrawals are available.",
    "Binance, February 2026": "We are aware of some technical difficulties affecting withdrawals on the platform. Our "
    "team is already working on a fix.",
    "Kraken, June 2023": "Deposits and withdrawals are currently delayed.",
    "Kraken, a title": "Crypto Withdrawal Delays",
    "Kraken, another": "Monad (MON) Funding Delays",
    "Coinbase": "Delayed Sends/Receives - Base Network",
    "with work on it": "We've identified an issue with BTC withdrawals and are working on a fix.",
    "politely": "Customers may experience delays with withdrawals.",
    "slowly": "ETH withdrawals are processing slower than usual.",
    "Chinese": "由于网络拥堵，提现可能延迟。",
    "Korean": "이더리움 출금 지연 안내",
    "Japanese": "出金に遅延が発生しております。",
    "Spanish": "Los retiros presentan demoras.",
    "Portuguese": "Identificamos lentidão nos saques.",
    "Turkish": "Çekim işlemlerinde gecikme yaşanmaktadır.",
    "Russian": "Наблюдаются задержки с выводом средств.",
    "Vietnamese": "Việc rút tiền đang bị chậm.",
    "Indonesian": "Penarikan sedang mengalami keterlambatan.",
    "German": "Bei Auszahlungen kommt es zu Verzögerungen.",
    "French": "Les retraits subissent des retards.",
}

MAINTENANCE = {
    "to come at a time": "Binance will suspend deposits and withdrawals on the Ethereum network at 2026-03-10 07:00 (UTC).",
    "to come, passive": "ETH withdrawals will be suspended from approximately 07:00 UTC on March 10.",
    "explained": "Withdrawals are suspended for scheduled maintenance.",
    "in two sentences": "Scheduled maintenance starts soon. Withdrawals will be unavailable for about an hour.",
    "for an upgrade": "The network upgrade and hard fork is near. Deposits and withdrawals will be suspended.",
    "of a wallet": "Wallet Maintenance for Bitcoin (BTC) Network - 2026-05-10",
    "under it": "SOL withdrawals are under maintenance.",
    "Chinese": "币安将于2026年3月10日15:00暂停以太坊网络的充值、提现业务。",
    "Korean": "왁스(WAXP) 지갑 시스템 점검에 따라 입출금이 일시 중지될 예정입니다.",
    "Japanese": "メンテナンスのため、出金を一時停止いたします。",
    "Spanish": "Los retiros serán suspendidos el 10 de marzo de 2026 por mantenimiento.",
    "Portuguese": "Suspenderemos os saques às 10:00 para manutenção.",
    "Turkish": "Bakım nedeniyle çekim işlemleri 10:00'da durdurulacaktır.",
    "Russian": "Вывод будет приостановлен 10.03 в 12:00 на время технических работ.",
    "Vietnamese": "Chúng tôi sẽ tạm dừng rút tiền lúc 14:00 để bảo trì.",
    "Indonesian": "Penarikan akan ditangguhkan pada 10:00 untuk pemeliharaan.",
    "German": "Wegen Wartungsarbeiten werden Auszahlungen am 10.03. ausgesetzt.",
    "French": "Les retraits seront suspendus à 10:00 pour maintenance.",
}

NOTHING = {
    "FTX, the night before": "Nodes and banks are catching up.",
    "FTX, support": "Any transfers besides fiat are halted.",
    "FTX.US, November 2022": "Withdrawals are and will remain open.",
    "Celsius, days before": "Celsius continues to process withdrawals without delay.",
    "Bybit, February 2025": "Only 1 cold wallet was hacked, all withdrawals are NORMAL.",
    "trading": "Trading has been suspended.",
    "trading, with withdrawals": "Spot trading is suspended, withdrawals will remain available.",
    "trading and what goes on": "We have suspended trading and withdrawals will remain open.",
    "deposits alone": "Deposits of XRP are suspended.",
    "deposits, not withdrawals": "Deposits are suspended, but withdrawals remain available.",
    "deposits, withdrawals only": "Deposits are suspended, withdrawals only.",
    "a listing": "Binance will list ABC. Withdrawals will open at 2026-03-10 10:00 (UTC).",
    "open for the first time": "Deposits and withdrawals for ABC are now open.",
    "not yet": "Withdrawals will resume at 15:30 UTC.",
    "a promise": "Withdrawals are expected to be resumed within the hour.",
    "once": "We will not post a further announcement once withdrawals have resumed.",
    "until": "Please wait until withdrawals have been reopened.",
    "if": "If your withdrawal is delayed, contact support.",
    "a time to be told": "The time of the resumption of withdrawals will be announced.",
    "as it always is": "All withdrawals are processing normally.",
    "an account of one's own": "Users who changed their password cannot withdraw for 24 hours.",
    "a question": "Are withdrawals suspended?",
    "a question in Chinese": "提现暂停了吗？",
    "a rumour": "Rumors that withdrawals are suspended are not true.",
    "what may be": "Withdrawals may be suspended without notice under our terms.",
    "no impact": "There is no impact on withdrawals.",
    "spared by maintenance": "Trading will stop for maintenance at 10:00 UTC, withdrawals will not be affected.",
    "maintenance of trading": "Scheduled maintenance: spot trading will be suspended at 10:00 UTC.",
    "a wallet that is done": "Wallet maintenance for Bitcoin has been completed.",
    "our own feature": "You can now pause withdrawals of your account for 48 hours.",
    "contradicting itself": "BTC withdrawals have resumed; ETH withdrawals remain suspended.",
    "money at banks": "Fiat withdrawals are suspended. SEPA withdrawals may be delayed.",
    "money at banks, in Korean": "원화 입출금 일시 중단 안내",
    "the funding rate": "Funding rate payments are delayed.",
    "a fix": "This incident has been resolved.",
    "Chinese, trading": "暂停交易，提现正常。",
    "Chinese, deposits": "暂停充值，开放提现。",
    "Chinese, to come": "提现恢复时间将另行通知。",
    "Korean, deposits": "리플(XRP) 입금 중단 안내",
    "Korean, trading": "거래가 일시 중단되며 출금은 가능합니다.",
    "Korean, to come": "점검이 끝나면 출금이 재개될 예정입니다.",
    "Japanese, spared": "メンテナンス中も出金は通常通りご利用いただけます。",
    "Japanese, to come": "出金の再開時期は改めてお知らせします。",
    "Spanish": "El trading está suspendido, los retiros siguen disponibles.",
    "Spanish, to come": "Los retiros se reanudarán pronto.",
    "Portuguese": "Os saques não serão afetados.",
    "Turkish": "Alım satım durdurulmuştur, çekim işlemleri devam ediyor.",
    "Turkish, to come": "Çekim işlemleri yeniden açılacaktır.",
    "Russian": "Торги приостановлены, вывод средств доступен.",
    "Vietnamese": "Giao dịch tạm dừng, rút tiền vẫn hoạt động bình thường.",
    "Indonesian": "Perdagangan dihentikan, penarikan tetap berjalan.",
    "German": "Der Handel ist ausgesetzt, Auszahlungen sind weiterhin möglich.",
    "French": "Le trading est suspendu, les retraits restent disponibles.",
    "nothing": "",
}


@pytest.mark.parametrize("text", SUSPENDED.values(), ids=SUSPENDED)
def test_a_stop_is_recognised(text: str) -> None:
    assert recognised(text) == "suspended"


@pytest.mark.parametrize("text", RESUMED.values(), ids=RESUMED)
def test_an_end_is_recognised(text: str) -> None:
    assert recognised(text) == "resumed"


@pytest.mark.parametrize("text", DELAYED.values(), ids=DELAYED)
def test_trouble_is_recognised(text: str) -> None:
    assert recognised(text) == "delayed"


@pytest.mark.parametrize("text", MAINTENANCE.values(), ids=MAINTENANCE)
def test_what_is_planned_is_maintenance(text: str) -> None:
    assert recognised(text) == "maintenance"


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_what_is_not_said_of_withdrawals_is_not_guessed(text: str) -> None:
    assert recognised(text) is None


@pytest.mark.parametrize(
    ("text", "made"),
    [
        pytest.param("a\r\n\tb\x00c\x1b[31m", "a b c [31m", id="control characters"),
        pytest.param("safe\u202egnp.exe\u2066", "safegnp.exe", id="characters that turn the line around"),
        pytest.param("출금 재개 ✅", "출금 재개 ✅", id="letters of all scripts stay"),
        pytest.param("x" * 9_000, "x" * LONGEST_TEXT, id="too long"),
        pytest.param("\ud800 broken", "broken", id="half a character"),
    ],
)
def test_text_is_made_plain(text: str, made: str) -> None:
    assert plain(text) == made


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("withdrawals " * 400, id="one word only"),
        pytest.param("suspended withdrawals will if not " * 150, id="all that patterns look for"),
        pytest.param("출금 " * 1_300, id="one word in Korean"),
        pytest.param("a" * 4_000, id="one long word"),
        pytest.param("".join(random.Random(7).choices("withdrawl suped,. 출금暂停提现", k=4_000)), id="noise"),
    ],
)
def test_the_longest_text_is_looked_through_at_once(text: str) -> None:
    recognised("warm")
    began = process_time()
    recognised(text)
    assert process_time() - began < 0.25
