"""What we know of each operator of English, one line an operator; `kgreason.data.operators` reads it.

Phrases are parted by `;`, in lower case, as the tokeniser parts words (`n't` stands alone). `#` stands for a number.
Signatures: `up` and `down` keep what excludes or exhausts as far as they can, `up-` and `down-` lose it, `=` lets
nothing through; `every1`, `every2` are the restrictor and the scope of "every", `not1`, `not2` those of "not every".
"""

#: name | signature of the restrictor | signature of the scope | phrases
DETERMINERS = """
every | every1 | every2 | every; all; each; every one of; each one of; each of; all of; all the; each and every
everybody | every1 | every2 | everybody; everyone; everything
any | any | any | any; anybody; anyone; anything; any of; any one of
no | no | no | no; zero; none; none of; not a; not an; not a single; not one; not one of; not any; not any of; \
not even one
nobody | no | no | nobody; no one; no-one; noone; nothing; not anyone; not anybody; not anything; not a soul
neither | up | no | neither; neither of; neither one of
not every | not1 | not2 | not every; not all; not each; not everybody; not everyone; not everything; not all of; \
not every one of
almost no | down- | down- | almost no; hardly a; hardly an; barely a; barely an; scarcely a; scarcely an; \
hardly any; scarcely any; barely any; virtually no; practically no; almost none of; hardly any of
almost nobody | down- | down- | almost nobody; almost no one; almost nothing; hardly anyone; hardly anybody; \
hardly anything; barely anyone; barely anybody; barely anything; scarcely anyone; scarcely anybody; \
scarcely anything; next to nothing
few | down- | down- | few; few of; very few; very few of; too few; so few; only a few; only a few of; just a few; \
little; very little; too little; so little; only a little; only a handful of; not many; not many of; not much; \
not much of; not a lot of; few if any; a minimal amount of
at most | down- | down- | at most #; no more than #; not more than #; up to #; a maximum of #; # or fewer; \
# or less; at the most #; # at most; at the very most #; at most #of; no more than #of; at most one of; # or fewer of
fewer than | down- | down- | fewer than #; less than #; under #; below #; fewer than #of; less than #of; not even #; \
not #
less than half | = | down- | less than half; fewer than half; less than half of; fewer than half of; at most half; \
at most half of; no more than half; no more than half of; a minority of; less than #% of; fewer than #% of; \
at most #% of; not half; not half of; not most; not most of; not the majority of; less than half the; \
fewer than half the; no more than #% of
at least | up- | up- | at least #; # or more; no fewer than #; no less than #; not fewer than #; not less than #; \
a minimum of #; at the least #; at the very least #; as many as #; at least #of; # at least; at least some; \
at least some of; at least several; at least a few; at least a few of; # or more of; no fewer than #of; \
not less than #of
more than | up- | up- | more than #; over #; above #; upwards of #; more than #of; more than a few; not just #; \
not only #; well over #; more than a couple of; more than several
most | = | every2 | most; most of; the majority of; a majority of; more than half; more than half of; \
more than half the; over half; over half of; over half the; at least half; at least half of; the vast majority of; \
a large majority of; the bulk of; the great majority of; more than #% of; at least #% of; over #% of; almost all; \
almost all of; nearly all; nearly all of; almost every; nearly every; practically all; practically every; \
virtually all; virtually every; most everyone; almost everyone; almost everybody; almost everything; \
nearly everyone; nearly everybody; nearly everything; virtually everyone; practically everyone; pretty much all; \
pretty much every; just about all; just about every; just about everyone; virtually all of; practically all of
half | = | = | half of; half the; half; exactly half; exactly half of; about half; about half of; roughly half; \
roughly half of; nearly half; nearly half of; almost half; almost half of; a third of; a quarter of; one third of; \
two thirds of; #% of; exactly #% of; three quarters of; one quarter of; about #% of; # in #; # out of #
exactly | = | = | exactly #; precisely #; only #; just #; exactly #of; only #of; just #of; merely #; exactly one of; \
exactly a dozen; no more and no fewer than #; no more and no less than #; between # and #; an even number of; \
an odd number of; a total of #; all of #; # and only #; but #
about | = | = | about #; around #; approximately #; roughly #; nearly #; almost #; some #; circa #; close to #; \
more or less #; approximately #of; about #of; roughly #of; nearly #of; almost #of; around #of
all but | = | = | all but #; all except #; all but a few; all but a few of; every # but #; all but #of
both | up | every2 | both; both of; both the
more | = | = | more; fewer; less; as many; as much; the fewest; how many; how much; the same number of
"""

#: Signatures in the existential reading; in the specific reading all of them are `up`.
INDEFINITES = """
a | some | some | a; an; another; some; some of; someone; somebody; something; one of; a single; a certain; one; \
a bit of; a little; either; either of
several | up- | up- | several; several of; a few; a few of; quite a few; a couple of; a couple; many; many of; \
a lot of; lots of; plenty of; numerous; a great many; a good many; a number of; dozens of; \
hundreds of; thousands of; a dozen; various; multiple; much; much of; countless; a great deal of; a handful of; \
not a few; very many; so many; too many; enough; scores of; tons of; loads of; two of; three of; quite a few of; \
a large number of; a small number of; a group of
number | up- | up- | #; #of
"""

#: name | signature of what stands in its scope | `Entailment` of the sentence with it to the one without | phrases
ADVERBS = """
not | not | negation | not; n't; not ever; not at all; yet to; by no means; in no way; on no account; not yet
never | no | negation | never; never ever; never before; never once; at no time; under no circumstances; \
under no circumstance; at no point; in no case; not once; at no stage; on no occasion
no longer | not | negation | no longer; no more; not any longer; not any more; not anymore
nowhere | no | negation | nowhere; not anywhere
hardly | down- | alternation | hardly; barely; scarcely; hardly ever; barely ever; scarcely ever; almost never; \
practically never; virtually never; only just; only barely
rarely | down- | alternation | rarely; seldom; infrequently; only rarely; very rarely; very seldom; not often; \
not always; not usually; only seldom; only occasionally; rarely ever; seldom ever; not frequently; not necessarily; \
not everywhere; too rarely
always | every2 | forward | always; invariably; constantly; at all times; without exception; everywhere; \
necessarily; all the time
usually | every2 | independence | usually; mostly; generally; normally; typically; for the most part; \
most of the time; largely
sometimes | some | reverse | sometimes; occasionally; at times; now and then; from time to time; on occasion; \
at least once; more than once; many times; once or twice
often | some | forward | often; frequently; repeatedly; regularly
almost | = | alternation | almost; nearly; practically; virtually; all but; as good as
may | some | reverse | may; might; could; can; possibly; perhaps; maybe; conceivably
must | every2 | independence | must; should; ought; shall
allegedly | up- | independence | allegedly; reportedly; supposedly; purportedly; ostensibly; seemingly; apparently; \
hopefully; presumably; arguably; probably
"""

#: name | frames | what follows of the complement: from the sentence, from its denial | signature if special | lemmas
#: Frames: `to` an infinitive, `ing`, `that` a clause, `whether` a question, `np` a noun phrase.
PREDICATES = """
manage | to | +- | | manage; bother; deign; dare; remember; condescend; happen; contrive; get; turn
succeed | ing | +- | | succeed; end up; wind up
force | to | +0 | | force; cause; make; compel; drive; oblige; lead; help; begin; start; continue; proceed; push; \
induce; prompt; prod
start | ing | +0 | | begin; start; continue; keep; resume; finish; complete; spend
able | to | 0- | | able; permit; allow; enable; let; possible; free; authorize; authorise; license; capable; \
empower; entitle; qualify; opportunity; chance; permission; ability; capacity; easy; eligible
must | to | 00 | every2 | have; need; ought; require; necessary; obligatory; essential; supposed; obligation; duty
fail | to | -+ | | fail; forget; neglect; omit; failure
avoid | ing | -+ | | avoid; forgo; forego; escape; skip; abstain; refrain; omit; neglect; evade
lack | np | -+ | no | avoid; forgo; forego; lack; shun; eschew; abstain; refrain; devoid; bereft; absence; shortage; \
dearth; scarcity; empty; free; bare; deprive; innocent; void
refuse | to | -0 | no | refuse; decline; unable; impossible; unwilling; reluctant; forbid; prohibit; inability; \
refusal; reluctance; unwillingness; illegal; prevent; incapable; unprepared; powerless; disinclined; ban; forbidden
prevent | ing | -0 | no | prevent; stop-from; keep-from; prohibit; ban; bar; hinder; discourage; dissuade; preclude; \
block; inhibit; resist; impossible; restrain; incapable; forbid; refuse; save; protect; deter; refusal; \
prohibition
reject | np | -0 | no | refuse; decline; reject; prevent; ban; prohibit; forbid; prevention; prohibition; rejection; \
refusal; oppose; outlaw; preclude; abolish; abolition; incapable; unaware; ignorant; unworthy; ignorance; intolerant
stop | ing | -0 | down- | stop; quit; cease; discontinue; halt; abandon; postpone; delay; oppose; give
cease | to | -0 | down- | cease
hesitate | to | 0+ | down- | hesitate; loath; hesitant; wary; afraid
deny | that ing np | 00 | down- | deny; disclaim; denial; rebut
disprove | that ing np | -0 | down- | disprove; refute
doubt | that np | 00 | down- | doubt; disbelieve; doubtful; dubious; skeptical; sceptical; unlikely; improbable; \
implausible; unconvinced; unclear; unsure; uncertain; disagree
impossible | that | -0 | no | impossible; inconceivable; unthinkable
unlikely | to | 00 | down- | unlikely; improbable; difficult; hard; dangerous; unnecessary; inconceivable; \
unthinkable; rare; wrong; bad
false | that | -+ | | false; untrue; incorrect; wrong; lie; myth; falsehood; fallacy
know | that | ++ | up- | know; realise; realize; discover; notice; see; find; observe; recognise; recognize; \
remember; learn; recall; forget; admit; acknowledge; reveal; show; prove; confirm; understand; aware; perceive; fact
resent | np | ++ | = | regret; resent; deplore; bemoan; lament
regret | that ing to | ++ | = | regret; glad; happy; sad; sorry; proud; surprise; surprised; surprising; amaze; \
amazed; amazing; disappoint; disappointed; angry; annoyed; annoy; upset; delighted; pleased; ashamed; resent; \
deplore; strange; odd; tragic; lucky; fortunate; pity; shame; relieved; shocked; embarrassed; grateful; thankful; \
appreciate; interesting; funny; ironic
pretend | that to | -- | up- | pretend; feign; simulate
true | that | +- | | true; case; correct; truth; certain; obvious; clear; evident; undeniable
believe | that | 00 | up- | believe; think; suppose; suspect; guess; assume; say; claim; tell; state; assert; argue; \
hope; fear; expect; imagine; predict; suggest; report; announce; declare; insist; maintain; feel; consider; allege; \
seem; appear; likely; probable; possible; belief; rumor; rumour; hypothesis; idea; dream; estimate; conclude; \
agree; swear; write; presume; speculate; promise; hear; worry; afraid; warn; reckon; wish; want; convinced; sure; \
confident
try | to | 00 | up | try; attempt; prepare; practice; practise; learn; struggle; wait; await; go; seem; appear; \
decide; intend; plan; ready
want | to ing | 00 | up- | want; wish; hope; desire; expect; seek; crave; aim; promise; agree; offer; \
threaten; ask; beg; urge; advise; order; tell; invite; encourage; recommend; eager; willing; like; love; \
prefer; consider; choose; believe; claim; likely; think; say; enjoy; hate; suggest; imagine; \
persuade; convince; decision; effort; report; rumor
search | np | 00 | up- | need; want; desire; seek; crave; search; search-for; look-for; request; demand; require; \
hunt; wait-for; hope-for; long-for
wonder | whether | 00 | = | wonder; ask; know; decide; question; check; see; determine; doubt; tell; unclear; \
unsure; uncertain; remember; say; sure; unknown; find; inquire; discuss; debate; investigate; learn; care
"""

#: name | signature of the clause it opens | signature of the clause around that (`-`: as it was) | phrases
MARKERS = """
if | every1 | every2 | if; provided; provided that; providing; assuming; assuming that; supposing; suppose; in case; \
whenever; wherever; so long as; as long as; in the event that; on condition that; on the condition that; even if; \
every time; each time; whoever; whatever; whichever; whomever; if and when; if ever
only if | up | every1 | only if; only when; only in case; only provided
unless | unless | every2 | unless; except if
before | down- | - | before; prior to; ere
without | no | - | without
instead of | down- | - | instead of; rather than; sooner than
than | down- | - | than
whether | = | - | whether
as if | up- | - | as if; as though
"""

#: name | signature of the noun phrase it opens | phrases
PREPOSITIONS = """
without | no | without; sans; minus; absent; w/o
instead of | down- | instead of; rather than; in place of; in lieu of; as opposed to; sooner than
except | = | except; but; except for; but for; other than; apart from; aside from; excluding; unlike; save for; \
besides; with the exception of
than | down- | than
before | down- | before; prior to
in case of | every1 | in case of; in the event of
"""

#: name | signature of each conjunct | words
CONNECTIVES = """
and | every2 | and; &; as well as
or | some | or; and/or
nor | no | nor
"""

#: name | signature of the focus | signature of the rest of the clause | phrases
FOCUS = """
only | up- | down- | only; solely; exclusively; merely; nothing but; none but; nobody but; no one but; \
nothing except; nobody except
not only | up | up | not long ago; not long after; not long before; not surprisingly; \
not only; not just; not merely; not solely
"""

#: name | signature of what follows (`to` an infinitive) | words before or after an adjective
DEGREES = """
too | no | too; overly
"""
