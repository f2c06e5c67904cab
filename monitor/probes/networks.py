"""Our names of networks, from the words that exchanges have for them."""

from functools import lru_cache

_WORDS = {
    "algorand": ("algo", "asa"),
    "aptos": ("apt",),
    "arbitrum": ("arb", "arbi", "arbevm", "arbitrumone", "arbitrum one", "arbone", "arbieth"),
    "arbitrum-nova": ("arbnova", "arbitrumnova", "arbitrum_nova"),
    "avalanche": (
        "avacchain",
        "avaxc",
        "avax_c",
        "avax_cchain",
        "ava_c",
        "cavax",
        "avaxcchain",
        "c-chain",
        "cchain",
        "avax c-chain",
        "avalanche c-chain",
    ),
    "avalanche-x": ("avax", "xavax", "x-chain", "avalanche x-chain"),
    "base": ("baseevm",),
    "bitcoin": ("btc",),
    "bitcoin-cash": ("bch", "bitcoincash", "bitcoin cash"),
    "bnb-beacon": ("bnb", "bep2", "bnb (bep2)"),
    "bsc": ("bep20", "bsc (bep20)", "bep20(bsc)", "bnb smart chain", "bnb chain"),
    "cardano": ("ada",),
    "cosmos": ("atom",),
    "cronos": ("cro", "cronoschain", "crypto"),
    "dogecoin": ("doge",),
    "eos": ("eosio",),
    "ethereum": ("eth", "erc20", "ethereum (erc20)"),
    "ethereum-classic": ("etc", "ethereumclassic", "ethereum classic"),
    "fantom": ("ftm",),
    "filecoin": ("fil",),
    "hedera": ("hbar",),
    "heco": ("ht", "hrc20"),
    "internet-computer": ("icp", "dfinity"),
    "kaspa": ("kas",),
    "klaytn": ("klay", "kip7"),
    "kusama": ("ksm",),
    "lightning": ("btcln", "lightning network", "segwitbtcln", "bitcoin lightning"),
    "litecoin": ("ltc",),
    "mantle": ("mnt",),
    "monero": ("xmr",),
    "near": ("nearprotocol",),
    "okx-chain": ("okt", "okc"),
    "optimism": ("op", "opeth", "opt", "opteth"),
    "polkadot": ("dot",),
    "polygon": ("matic", "pol", "polygon pos"),
    "ronin": ("ron",),
    "solana": ("sol", "spl"),
    "starknet": ("strk",),
    "stellar": ("xlm", "stellar lumens"),
    "terra": ("luna", "lunanew"),
    "terra-classic": ("lunc", "terra classic"),
    "tezos": ("xtz",),
    "ton": ("toncoin", "ton2", "the open network"),
    "tron": ("trx", "trc20"),
    "vechain": ("vet",),
    "xrp": ("ripple", "xrp ledger"),
    "zcash": ("zec",),
    "zksync": ("zksyncera", "zksera", "zksync era"),
}

_OURS = {word: name for name, words in _WORDS.items() for word in words}


@lru_cache(maxsize=4096)
def our_network(word: str) -> str:
    """Our name of the network an exchange calls `word`; a word unknown to us in lower case, spaces as dashes."""
    key = word.lower()
    return _OURS.get(key) or key.replace(" ", "-")
