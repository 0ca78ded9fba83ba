"""English words that say little, deny, hedge, mean the same or the opposite."""

from typing import Final

__all__ = [
    "ABOUT",
    "COMMON",
    "FRAMING",
    "FUNCTION",
    "IRREGULAR",
    "NEGATIONS",
    "OPPOSITES",
    "PLEASANT",
    "SAME",
]

FUNCTION: Final = frozenset(
    """
    a an the this that these those such same own other another each every either neither both all any
    some many much more most less least few fewer several enough one ones i me my mine myself we us our
    ours ourselves you your yours yourself he him his himself she her hers herself it its itself they them
    their theirs themselves who whom whose which what when where why how whether if then than as because
    since so though although while whereas unless until till about above across after against along among
    around at before behind below beneath beside besides between beyond by down during except for from in
    inside into like near of off on onto out outside over per through throughout to toward towards under
    up upon via with within without and or but nor yet also too very quite rather just only even still
    already again ever once here there now be am is are was were been being do does did doing done have
    has had having can could may might must shall should will would ought let get gets got getting not no
    never none nothing nobody nowhere cannot n't ain't don't doesn't didn't isn't aren't wasn't weren't
    hasn't haven't hadn't won't wouldn't can't couldn't shouldn't mustn't yes ok okay well oh hmm yeah
    yep please thus hence therefore however moreover furthermore additionally instead otherwise overall
    indeed actually basically really simply especially particularly generally usually often sometimes
    maybe perhaps that's it's i'm you're we're they're he's she's there's i've you've we've they've i'd
    you'd he'd she'd we'd they'd i'll you'll he'll she'll we'll they'll let's what's who's s t d ll m re
    ve don didn doesn isn aren wasn weren hasn haven hadn won wouldn couldn shouldn etc e g eg ie
    """.split()
)
"""Closed classes: they carry no claim of their own."""

FRAMING: Final = frozenset(
    """
    according answer answers article articles based below chunk cite cited conclusion context describe
    described describes document documents excerpt excerpts explain explained explains fact following
    given indicate indicated indicates information key material materials mention mentioned mentions
    note noted notes overview paragraph passage passages point points provide provided provides question
    reference references refer refers regarding report response said say saying says section source
    sources specifically state stated statement states suggest suggests summary summarise summarize
    text texts user briefly sum short
    """.split()
)
"""Words that an answer uses of its sources, not of the world."""

PLEASANT: Final = frozenset(
    """
    absolutely agree agreed amazing awesome aww bet certainly cool course definitely enjoy exactly fun funny
    glad great haha happy hear hello hey hi hope hopefully interesting interestingly lol love lovely luck
    nice nope pretty question right sorry sure surely thank thanks think thought totally true unfortunately
    welcome wonderful wow
    """.split()
)
"""Words of courtesy and chat."""

COMMON: Final = frozenset(
    """
    able act actual add allow appear area ask available back bad become became begin best better big bit
    bring call called came carry case cause certain change clear close come common complete consider
    contain continue couple course create day deal different difficult early easy effect end example
    exist face famous far feel fine find first follow form found full general give given go good great
    group guess hand happen hard heavy help high hold idea important include including interest
    interesting involve issue item join keep kind know known large last late later lead leave left level
    life like likely line list little live local long look lot love low made main make man matter mean
    means member method mind modern move much multiple name need new next nice number offer old open
    order original part particular people person place plan play popular possible present pretty probably
    problem process produce provide put range real reason receive recent related remain require result
    right role run see seem seen serve set show side similar single small something special specific
    start stay step stop study success successful support sure system take talk tell term thing think
    thought time title today together took top total try turn type understand use used using value
    various very want way week went work world year young
    """.split()
)
"""Open classes, but so frequent that their presence in a source proves little."""

NEGATIONS: Final = frozenset(
    """
    not no never none nothing nobody nowhere neither nor cannot without n't ain't don't doesn't didn't
    isn't aren't wasn't weren't hasn't haven't hadn't won't wouldn't can't couldn't shouldn't mustn't
    hardly scarcely barely unable
    """.split()
)

ABOUT: Final = frozenset(
    """
    about around roughly approximately approx circa ca some estimated estimate
    ungefähr etwa rund knapp fast environ presque près casi unos unas aproximadamente circa quasi
    ongeveer bijna cerca
    """.split()
)
"""Said before a number that is rounded."""

IRREGULAR: Final[dict[str, str]] = dict(
    pair.split(":")  # type: ignore[misc]
    for pair in """
    children:child men:man women:woman feet:foot teeth:tooth mice:mouse geese:goose lives:life
    wives:wife knives:knife wolves:wolf leaves:leaf halves:half became:become began:begin begun:begin
    bent:bend bought:buy brought:bring built:build came:come caught:catch chose:choose chosen:choose
    cut:cut drank:drink drawn:draw drew:draw driven:drive drove:drive eaten:eat ate:eat fallen:fall
    fell:fall fed:feed felt:feel fought:fight flew:fly flown:fly forgot:forget forgotten:forget
    froze:freeze frozen:freeze gave:give given:give gone:go went:go grew:grow grown:grow held:hold
    heard:hear hid:hide hidden:hide kept:keep knew:know known:know laid:lay led:lead left:leave
    lent:lend lost:lose made:make meant:mean met:meet paid:pay ran:run rang:ring rose:rise risen:rise
    said:say sang:sing sung:sing sank:sink sat:sit saw:see seen:see sent:send shook:shake shot:shoot
    shown:show slept:sleep sold:sell sought:seek spent:spend spoke:speak spoken:speak stood:stand
    stole:steal stolen:steal struck:strike swam:swim taken:take took:take taught:teach thought:think
    threw:throw thrown:throw told:tell understood:understand woke:wake won:win wore:wear worn:wear
    written:write wrote:write broke:break broken:break born:birth bore:bear borne:bear bred:breed
    better:good best:good worse:bad worst:bad data:datum criteria:criterion analyses:analysis
    crises:crisis theses:thesis media:medium died:die dies:die dying:die dead:die death:die deaths:die
    lying:lie tying:tie using:use used:use uses:use does:do
    """.split()
)
"""Forms that no ending explains."""

SAME: Final = tuple(
    line.split()
    for line in """
    film movie cinema
    song track tune
    novel book
    author writer novelist
    buy purchase acquire acquisition
    sell sale
    begin start commence onset launch
    end finish conclude conclusion terminate
    big large huge great
    small little tiny
    fast quick rapid swift
    assist help aid
    show demonstrate reveal
    build construct
    create make produce
    found establish
    job occupation profession
    doctor physician
    lawyer attorney
    car automobile
    plane aircraft airplane aeroplane
    city town
    firm company corporation business
    child kid
    usual typical normal
    require need
    obtain get receive
    permit allow
    forbid prohibit ban
    area region
    choose select pick
    answer reply respond response
    fix repair
    error mistake
    error fault
    illness disease sickness
    injure hurt wound
    kill slay
    marry wed marriage wedding
    rich wealthy
    smart clever intelligent
    famous renowned noted
    important significant crucial
    rise increase grow growth
    fall decrease decline drop
    costly expensive
    cost price
    salary wage pay
    staff employee worker personnel
    chief head leader
    contest competition tournament
    prize award
    house home
    road street
    sea ocean
    forest wood
    teacher instructor
    pupil student
    school college
    test exam examination
    picture image photo photograph
    phone telephone
    tv television
    uk britain british england english
    usa america american
    france french
    spain spanish
    netherlands dutch holland
    germany german
    switzerland swiss
    sweden swedish
    denmark danish
    norway norwegian
    poland polish
    greece greek
    turkey turkish
    wales welsh
    scotland scottish
    ireland irish
    china chinese
    russia russian
    percent percentage
    approximate about
    annual yearly year
    month monthly
    daily day
    week weekly
    free gratis
    cancel annul
    delete remove erase
    customer client
    shop store
    parcel package shipment
    deliver delivery ship
    refund reimburse reimbursement
    vacation holiday
    sick ill
    happy glad
    happen occur
    situate locate
    reside live
    wife spouse husband
    mother mom mum
    father dad
    murder homicide
    evidence proof
    goal aim target
    choice option
    main chief principal primary
    whole entire
    enough sufficient
    hard difficult
    easy simple
    close shut
    quit resign
    hire employ recruit
    gather collect
    attempt try
    allow enable
    stop halt
    dog canine
    cat feline
    eat consume
    beverage drink
    meal food
    bike bicycle
    ill sick
    football soccer
    """.strip().splitlines()
)
"""One line, one meaning; near enough for the question whether a source could have said it."""

OPPOSITES: Final = tuple(
    line.split()
    for line in """
    increase decrease
    increase reduce
    rise fall
    raise lower
    grow shrink
    gain lose
    win lose
    victory defeat
    up down
    above below
    more less
    more fewer
    most least
    many few
    higher lower
    highest lowest
    biggest smallest
    largest smallest
    longest shortest
    oldest youngest
    oldest newest
    earliest latest
    fastest slowest
    faster slower
    strongest weakest
    stronger weaker
    hotter colder
    hottest coldest
    warmer colder
    warmest coldest
    drier wetter
    driest wettest
    richest poorest
    cheaper dearer
    heavier lighter
    high low
    larger smaller
    large small
    longer shorter
    long short
    older younger
    older newer
    bigger smaller
    cheaper costlier
    closer farther
    old young
    old new
    early late
    earlier later
    before after
    first last
    begin end
    open close
    north south
    east west
    northern southern
    eastern western
    left right
    top bottom
    front back
    inside outside
    internal external
    male female
    man woman
    boy girl
    he she
    his her
    king queen
    husband wife
    mother father
    brother sister
    son daughter
    always never
    all none
    everyone nobody
    include exclude
    accept reject
    accept decline
    approve reject
    allow forbid
    allow prevent
    agree disagree
    support oppose
    like dislike
    love hate
    buy sell
    lend borrow
    import export
    arrive depart
    enter leave
    add remove
    enable disable
    succeed fail
    success failure
    pass fail
    true false
    correct incorrect
    right wrong
    good bad
    better worse
    best worst
    positive negative
    strong weak
    hot cold
    warm cool
    wet dry
    dark light
    hard soft
    hard easy
    fast slow
    rich poor
    cheap expensive
    safe dangerous
    safe unsafe
    public private
    rural urban
    domestic foreign
    ancient modern
    temporary permanent
    mandatory optional
    required optional
    voluntary compulsory
    common rare
    full empty
    alive dead
    born die
    guilty innocent
    maximum minimum
    max min
    upper lower
    senior junior
    professional amateur
    majority minority
    partial complete
    day night
    morning evening
    am pm
    summer winter
    attack defend
    offense defense
    cause prevent
    strengthen weaken
    expand contract
    encourage discourage
    connect disconnect
    visible invisible
    direct indirect
    major minor
    vegetarian meat
    credit debit
    income expense
    profit loss
    employer employee
    teacher student
    parent child
    predator prey
    ally enemy
    """.strip().splitlines()
)
"""Where a source has one and the answer the other, they disagree."""
