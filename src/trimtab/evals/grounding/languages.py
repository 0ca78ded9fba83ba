"""What other languages than English need: words that say little, that deny, and numbers."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from trimtab.evals.grounding.english import FUNCTION, NEGATIONS

__all__ = ["DENIALS", "MONTHS", "NUMBER_WORDS", "SMALL_WORDS", "language_of"]

_WORDS: Final[dict[str, str]] = {
    "de": """
        der die das den dem des ein eine einen einem einer eines und oder aber auch noch nur schon so wie
        wenn dann als dass ob weil da zu zum zur in im an am auf aus bei beim mit nach von vom vor für
        über unter um durch gegen ohne bis seit ist sind war waren sein wird werden wurde wurden hat
        haben hatte hatten kann können konnte muss müssen soll sollen darf dürfen ich du er sie es wir
        ihr man mich dich sich uns ihm ihn ihnen mein dein unser ihre ihren ihrem ihrer seine seinen
        dieser diese dieses diesen diesem jeder jede jedes was wer wo wann warum hier dort sehr mehr
        nicht kein keine keinen keinem keiner nie niemals nichts etwa rund ja nein doch denn""",
    "fr": """
        le la les un une des du de d l et ou mais donc or ni car que qui quoi dont où quand comme si ce
        cet cette ces c est sont était étaient être été a ont avait avaient avoir eu il elle ils elles on
        nous vous je tu me te se s y en au aux à dans par pour sur sous avec sans chez entre vers mon ma
        mes ton ta tes son sa ses notre nos votre vos leur leurs plus moins très aussi même tout tous
        toute toutes ne n pas jamais rien aucun aucune non oui peut peuvent doit doivent fait qu""",
    "es": """
        el la los las un una unos unas y e o u pero sino que quien cual cuyo donde cuando como si porque
        de del a al en con sin por para sobre entre hasta desde es son era eran ser sido fue fueron está
        están estaba ha han había haber hay yo tú él ella ellos ellas nosotros usted ustedes me te se le
        les lo nos su sus mi mis este esta estos estas ese esa eso esto muy más menos también ya no nunca
        ni ningún ninguna nada nadie sí puede pueden debe deben""",
    "it": """
        il lo la i gli le un uno una e o ma che chi cui dove quando come se perché di del dello della dei
        degli delle a al allo alla ai agli alle da dal dalla dai in nel nella nei nelle con senza per su
        sul sulla tra fra è sono era erano essere stato stata ha hanno aveva avere io tu lui lei noi voi
        loro mi ti si ci vi suo sua suoi sue questo questa questi queste molto più meno anche già non mai
        nessun nessuno nessuna niente nulla può possono deve devono""",
    "pt": """
        o a os as um uma uns umas e ou mas que quem qual onde quando como se porque de do da dos das em
        no na nos nas ao à aos às com sem por pelo pela para sobre entre até desde é são era eram ser
        sido foi foram está estão há tem têm tinha ter eu tu ele ela eles elas nós você vocês me te lhe
        seu sua seus suas este esta isto esse essa isso muito mais menos também já não nunca nem nenhum
        nenhuma nada ninguém pode podem deve devem""",
    "nl": """
        de het een en of maar dat die dit deze wie wat waar wanneer hoe als omdat van in op aan met voor
        door over onder bij naar uit om tot zonder is zijn was waren wordt worden werd werden heeft
        hebben had hadden kan kunnen moet moeten mag mogen zal zullen ik jij hij zij ze wij we jullie men
        zich hem haar hun mijn ook nog al zeer meer niet geen nooit niets niemand er te dan""",
    "sv": """
        en ett den det de och eller men att som om när var hur av i på med för till från utan under över
        är var vara blir blev har hade kan kunde ska skulle jag du han hon vi ni sig sin sitt sina detta
        denna dessa mycket mer också redan inte aldrig ingen inget inga""",
    "pl": """
        i w na z ze do od o u po za przez dla nad pod przed bez jest są był była było byli być ma mają
        się to ten ta te tego tej tych który która które że jak gdy gdzie kto co czy ale lub oraz a także
        już bardzo nie nigdy nikt nic żaden""",
    "ru": """
        и в во на с со к ко о об от до из за по под над при для без не ни но или а что кто где когда как
        если это этот эта эти тот та те его её их он она оно они мы вы я ты был была было были быть есть
        который которая которые также уже очень нет никогда никто ничего""",
}

SMALL_WORDS: Final = {"en": FUNCTION} | {
    name: frozenset(words.split()) for name, words in _WORDS.items()
}
"""By language: words of closed classes."""

_DENYING: Final[dict[str, str]] = {
    "de": "nicht kein keine keinen keinem keiner nie niemals nichts ohne nein",
    "fr": "pas jamais rien aucun aucune sans non",
    "es": "no nunca ni ningún ninguna nada nadie sin",
    "it": "non mai nessun nessuno nessuna niente nulla senza",
    "pt": "não nunca nem nenhum nenhuma nada ninguém sem",
    "nl": "niet geen nooit niets niemand zonder",
    "sv": "inte aldrig ingen inget inga utan",
    "pl": "nie nigdy nikt nic żaden bez",
    "ru": "не ни нет никогда никто ничего без",
}

DENIALS: Final = {"en": NEGATIONS} | {
    name: frozenset(words.split()) for name, words in _DENYING.items()
}
"""By language: words that turn a sentence into its opposite."""

_COUNTED: Final = """
    zwei drei vier fünf sechs sieben acht neun zehn elf zwölf
    deux trois quatre cinq six sept huit neuf dix onze douze
    dos tres cuatro cinco seis siete ocho nueve diez once doce
    due tre quattro cinque sei sette otto nove dieci undici dodici
    dois três quatro cinco seis sete oito nove dez onze doze
    twee drie vier vijf zes zeven acht negen tien elf twaalf
    два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать
"""

NUMBER_WORDS: Final[dict[str, float]] = {
    word: float(value)
    for line in _COUNTED.strip().splitlines()
    for value, word in enumerate(line.split(), start=2)
    if word not in {"six", "once"}
}
"""Two to twelve in other languages."""

_MONTHS: Final = """
    january february march april may june july august september october november december
    jan feb mar apr may jun jul aug sept oct nov dec
    januar februar märz april mai juni juli august september oktober november dezember
    janvier février mars avril mai juin juillet août septembre octobre novembre décembre
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
    janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
    januari februari maart april mei juni juli augustus september oktober november december
"""

MONTHS: Final[dict[str, int]] = {
    word: number
    for line in _MONTHS.strip().splitlines()
    for number, word in enumerate(line.split(), start=1)
    if word not in {"mar", "mars", "dec", "jan"}
} | {"sep": 9}
"""Name of a month to its number."""


def language_of(words: Iterable[str]) -> str:
    """The language whose small words are the most of these lower-case words; `en` if none is."""
    counts = Counter(words)
    best, most = "en", 0
    for name, small in SMALL_WORDS.items():
        found = sum(counts[word] for word in counts.keys() & small)
        if found > most * 1.1:
            best, most = name, found
    return best
