// Made by scripts/eval/answerers.ts: change it there.
/** Log odds of a machine, and what they are the odds of; see freeFeatures. */
const TABLE = `
1.54 ~reached
1.52 ~our
1.43 ~is the
1.24 ~^ this
1.14 ~=^ s
1.13 ~we
1.08 ~nobody
1.06 ~or
1.04 ~call, ~i am
1.03 ~=af rst
1.02 ~please, ~i can't
0.98 ~leave
0.92 ~=al s
0.91 ~hi this
0.89 ~sorry
0.87 ~not, ~we're
0.85 ~press
0.84 ~=^ a
0.83 ~if, ~voicemail
0.82 ~if you
0.78 ~hello this
0.76 ~=a am
0.73 limit free words, ~=a ats, ~=a knt
0.72 ~reach, limit longest pause
0.71 ~have reached
0.70 ~hello you've
0.69 ~by
0.68 ~=sr as, ~calls
0.67 ~^ i
0.65 ~there is, ~=a s
0.63 ~i'm, ~at
0.62 ~=am nt, ~=a afs
0.61 ~welcome
0.60 ~will, ~number
0.58 ~evening this, ~message
0.57 ~welcome to, ~=wlkm t, ~cleanly, ~your call, later length
0.56 ~=prs an
0.55 ~=afnk s
0.54 ~i'm not, ~=a kl, ~and welcome, ~=ant wlkm, ~four
0.53 ~=kl as, ~=^ p
0.52 ~currently, ~morning this, ~person
0.51 ~closed, ~=a kn, ~baker
0.50 ~in
0.49 ~foretalling, ~you foretalling, ~=a frtlnk, ~=klnk am
0.48 ~very, ~cannot
0.47 ~an, ~=s psn, ~the number, ~you know, ~busy, ~the person, ~=^ wl
0.46 ~has, ~you may, ~opening, ~=a rs, ~away
0.45 ~=s afs
0.44 ~open, ~=a f, ~never, ~be, ~^ please
0.43 ~=lf a, ~=^ st, ~=al af, ~i'm sorry, ~cleanly my, ~=klnl m, ~time
0.42 ~=sk a, ~long, ~irving, ~press one, ~our office, ~to you, ~=am sr, ~clean, ~=a rst
0.41 ~=p s, ~can't, ~=as an, ~away from, ~=aw frm, ~no, ~available, ~know what, ~=nw wt
0.40 ~^ my, ~while, ~us
0.39 ~=tk a, ~your, ~=a ar, ~male, ~=s fs, ~^ say, ~you have, ~=^ m, ~being, ~=a m, ~answer
0.38 ~the office, ~=ant al, ~^ why, ~fans, ~^ fans, ~leave a, ~re, ~=a wl
0.37 ~^ well, ~=rst s, ~listen, ~voice, ~all, ~afternoon this, ~=w knt
0.36 ~=t t, ~were, ~hey, ~^ hey, ~take, ~am, ~stone, ~is no, ~we can't, ~=ar trnk, ~nine
0.35 ~=^ fns, ~please leave, ~=pls lf, ~you reach, ~you reached, ~=am aw, ~i'm away, ~=nw s, ~=wr nt, ~try, ~now
0.35 ~phone
0.34 ~=as n, ~fifth, ~=ant sn, ~=afs as, ~=w ar, ~we are, ~=a msk, ~king
0.33 ~stay, ~=^ w, ~send, ~bennett
0.32 ~^ our, ~i can, ~office is, ~=a nt, ~blue, ~out of, ~right now, ~=rft nw, ~hours, ~=^ pls, ~reached the, ~=s kstm
0.32 ~=a nw, ~mail
0.31 ~=s nmp, ~this is, ~are trying, ~name and, ~=nm ant, ~out, ~murphy, ~=as s, ~=a mst, ~=af a
0.30 ~zero, ~hello you, ~=as nt, ~hi it's, ~=s sr, ~call is, ~=an an, ~we're not, ~english, ~up, ~leave your
0.30 ~=klnk as, ~at the, ~why, ~like this, ~calling is
0.29 ~=an f, ~miss, ~you'll, ~can't answer, ~=knt answ, ~=at s, ~lines, ~know, ~not here, ~=nt ar, ~=ml a, ~=a fs
0.29 ~following, ~=lf m, ~=klnk a, ~customer
0.28 ~wait, ~=pls st, ~the voicemail, ~voicemail of, ~=s fsml, ~=fsml af, ~=tr t, ~=pk am, ~missed, ~of
0.27 ~^ if, ~you've reached, ~and then, ~try to, ~from the, ~calling pine, ~=klnk pn, ~murphy i'm, ~=mf am, ~can reach
0.27 ~=kn rs, ~like, ~=aftn s, ~line
0.26 ~=ln t, ~=a af, ~before, ~full, ~bye, ~can't get, ~=knt kt, ~=f an, ~=s lnk, ~record, ~get to, ~=kl wl
0.26 ~foretolding, ~you foretolding, ~=a frtltnk, ~=a fw, ~in a, ~=m an, ~continue, ~well, ~^ by, ~=m s
0.25 ~=an tm, ~=ankls prs, ~calling, ~seven, ~^ then, ~is alice, ~=as als, ~=mnk a, ~i missed, ~^ i'm, ~=^ am, ~way
0.25 ~offices, ~now please, ~=nw pls
0.24 ~=t an, ~a message, ~the line, ~free, ~did, ~extension, ~me a, ~=st a, ~number you, ~=nmp a, ~=wl kmft, ~hand
0.24 ~dear, ~have called, ~=af klt, ~quinn
0.23 ~sorry i'm, ~foster, ~and i'll, ~two, ~foster i'm, ~=fst am, ~=tn a, ~=afnk a, ~paul, ~not at, ~=nt at, ~is a
0.23 ~a few, ~not available, ~=nt aflpl, ~the moment, ~=s mnt, ~longer, ~on the
0.22 ~^ listen, ~=^ lstn, ~has been, ~=as pn, ~=a wr, ~=t ant, ~take your, ~call him, ~=kl am, ~person you, ~=psn a
0.22 ~hour, ~reason, ~=klnk an
0.21 ~calling her, ~=f sr, ~hi you've, ~customer you, ~and keep, ~=ant kp, ~believe, ~monday, ~to do, ~to an, ~me in
0.21 ~=rt t, ~=a klw, ~friend, ~=al am, ~breath, ~=knt p, ~=fs ml, ~assist
0.20 ~=a at, ~just now, ~=st nw, ~calls are, ~=kls ar, ~to make, ~=mnk s, ~not a, ~=am as, ~=rst srs, ~you for
0.20 ~english press, ~with, ~=t s, ~=kt t, ~power, ~hang up, ~=ank ap, ~=knt tk, ~m, ~remember you, ~=rmp a
0.20 ~can't take, ~things, ~thank, ~thank you, ~=^ ant, ~rachel
0.19 ~enter, ~=snk a, ~him, ~=a lf, ~eight, ~=^ af, ~are busy, ~=ar ps, ~taxi our, ~=klt as, ~moon, ~the moon, ~may be
0.19 ~=m p, ~no one, ~=n an, ~=af as, ~cannot be, ~=frft a, ~=^ sn, ~recorded, ~with a, ~furniture please, ~=fntr pls
0.19 ~=an m, ~is olivia, ~=as alf, ~it's, ~money, ~^ hello, ~=m af
0.18 ~=nt a, ~available at, ~=aflpl at, ~chris, ~=mnk ant, ~=w a, ~at home, ~=mst a, ~leave my, ~=as rsl, ~=f f
0.18 ~calling union, ~you can, ~we're sorry, ~=wr sr, ~view, ~can take, ~=kn tk, ~one for, ~^ with, ~=wl km, ~^ take
0.18 ~=^ tk, ~=rsl a, ~claw, ~young, ~five, ~please hold, ~=pls alt
0.17 ~^ for, ~calling silver, ~=klnk slf, ~=pls ant, ~our lines, ~=a lns, ~valley that's, ~=fl sts, ~^ and, ~=t rs
0.17 ~wish, ~you wish, ~dixon, ~fifty, ~^ clean, ~=^ kln, ~you, ~in not, ~=an nt, ~connected
0.16 ~=as sk, ~=am krntl, ~these, ~=t mk, ~is jack, ~lines are, ~=lns ar, ~=rfnk a, ~bank please, ~=pnk pls, ~=pk an
0.16 ~=s k, ~telephone, ~surgery, ~street surgery, ~=strt sk, ~=^ al, ~=kl knt, ~five five, ~has not, ~lake, ~to reach
0.16 ~=sr an, ~for the, ~=f s, ~called is, ~=s pt, ~=m w
0.15 ~were calling, ~=f trnk, ~=m t, ~=alktrk a, ~all our, ~please enter, ~=s snk, ~=fn a, ~^ okay, ~=^ ak, ~when you
0.15 ~=frm s, ~after the, ~=aft s, ~=wn a, ~soon, ~=a mn, ~=a ms, ~energy we, ~sales, ~to the, ~than, ~=m ml
0.14 ~=pls s, ~phone just, ~=fn st, ~next, ~=al kl, ~training, ~for training, ~=rps t, ~=pt a, ~i will, ~in my
0.14 ~call cannot, ~person you're, ~=psn ar, ~=pt s, ~again, ~^ like, ~=^ lk, ~electric, ~=s an, ~are recorded
0.14 ~=ar rkt, ~and before, ~=ant pfr, ~power in, ~=pw an, ~this in, ~=klnk ap, ~words, ~remember, ~to speak, ~=t spk
0.13 ~=as tn, ~three, ~might, ~my message, ~=m msk, ~please listen, ~=pls lstn, ~to, ~kings, ~=ar t, ~here to, ~is tom
0.13 ~=as tm, ~god, ~office, ~morning and, ~=^ f, ~the customer, ~stay on, ~in an, ~insurance please, ~=ansrns pls
0.13 ~=lk s, ~is closed, ~=as klst, ~=ant mk, ~=an n, ~=kl at
0.12 ~turn, ~to voice, ~=t fs, ~r, ~=a ltl, ~when, ~the way, ~=s w, ~high, ~=plf an, ~=t rpt, ~reed, ~=rst sk
0.12 ~=at ant, ~phone right, ~=fn rft, ~please stay, ~=am am, ~fine, ~and number, ~=ant nmp, ~^ we'll, ~we'll come
0.12 ~you're, ~=s ln, ~=rkt a, ~record your, ~i'm a, ~=f tw, ~=wl s, ~number and, ~=nmp ant, ~see, ~five two
0.12 ~lion please, ~=ln pls, ~two one, ~=tw an, ~calling parker, ~calling bluebell, ~=klnk plpl, ~flee
0.11 ~^ oh, ~though, ~is not, ~=an at, ~are the, ~believe in, ~^ you're, ~=snk s, ~the next, ~=s nkt, ~software this
0.11 ~=sftwr s, ~=sn ar, ~^ below, ~=^ plw, ~are, ~=plw s, ~below this, ~is susan, ~collins, ~=fs m, ~=s as, ~=ank w
0.11 ~=f sk, ~answer the, ~=answ s, ~=ws a, ~few, ~from my, ~=frm m, ~unable, ~one three, ~theatre our, ~=kstm a
0.11 ~seven seven, ~=sfn sfn, ~=rt a
0.10 ~leave me, ~not been, ~=nt pn, ~moist, ~=mst ml, ~roofing your, ~toll, ~your toll, ~morgan, ~mark, ~by the
0.10 ~calling star, ~until, ~clean clean, ~=kln kln, ~we will, ~not able, ~=nt apl, ~=kl kn, ~you are, ~one nine
0.10 ~nine eight, ~=n aft, ~the message, ~=s msk, ~be connected, ~=p knkt, ~is diane, ~zero one, ~calling kingston
0.10 ~=klnk knkstn, ~calling harbour, ~the voice, ~to my, ~=sftwr a, ~called, ~the tone, ~to answer, ~=t answ
0.10 ~have to, ~voice me
0.09 ~hold for, ~=alt f, ~your message, ~able, ~are closed, ~=ar klst, ~=s sn, ~=an a, ~=a tw, ~=tlt as, ~one
0.09 ~able to, ~=apl t, ~is roger, ~=as rk, ~that's, ~hi you're, ~=rs as, ~you leave, later longest pause, ~=tw sr
0.09 ~two zero, ~later, ~hotel, ~zero two, ~=sr tw, ~repairs please, ~=rps pls, ~enter your, ~on, ~to rapid
0.09 ~unavailable, ~=mk a, ~=s ws, ~beep, ~the beep, ~=as fkt, ~=a ml, ~to take, ~=t tk
0.08 ~=rst a, ~the long, ~hours are, ~knew, ~accounts, ~=af at, ~come from, ~=km frm, ~all the, ~=klnk tlt
0.08 ~zero seven, ~=sr sfn, ~to us, ~is available, ~=as aflpl, ~seven nine, ~=sfn n, ~=knkt t, ~quail, ~your quail
0.08 ~=as ar, ~furniture we, ~=fntr w, ~a male, ~are unable, ~=ar anpl, ~=an ans, ~is rachel, ~make, ~london, ~did you
0.08 ~=a antrt, ~are sorry, ~=ar sr, ~cool
0.07 ~=s pls, ~to sunrise, ~=t snrs, ~door, ~call has, ~little bit, ~call right, ~=kl rft, ~=afs af, ~six one, ~^ but
0.07 ~please try, ~=pls tr, ~=^ t, ~=pk t, ~recorded for, ~=rkt f, ~tall, ~message for, ~=msk f, ~=as am
0.07 ~you're through, ~speak, ~is frank, ~=as frnk, ~=^ pt, ~=s ant, ~we can, ~busy please, ~=ps pls, ~=s tn, ~=^ ws
0.07 ~union, ~have, ~=wr klnk, ~purposes, ~training purposes, ~=trnk ps, ~from, ~on another, ~=al st, ~calling metro
0.07 ~=klnk mtr, ~throne, ~the throne, ~=s srn, ~service please, ~=sfs pls, ~centre, ~=st as, ~=a pt, ~voice mail
0.07 ~is henry, ~=as anr, ~valley, ~green valley, ~=krn fl
0.06 ~lee, ~nine four, ~four six, ~=n f, ~=t am, ~=kn nt, ~=s m, ~taxi, ~metro taxi, ~=mtr tk, ~carter, ~then to
0.06 ~ring, ~press two, ~=prs tw, ~=t m, ~=a klnk, ~=s flm, ~=as nw, ~of our, ~united, ~let, ~of a, ~and you, ~=t a
0.06 ~that is, ~=ant m, ~tone please, ~=tn pls, ~kingston's, ~=af tm, ~message after, ~=msk aft, ~reached a, ~tell me
0.06 ~=tl m, ~=at af, ~=klnk wt, ~recognised, ~there, ~please record, ~=pls rkt, ~=an st, ~before calling, ~=pfr klnk
0.06 ~available to, ~=aflpl t, ~=sl a, ~message and, ~=msk ant, ~unable to, ~=anpl t, ~to her, ~=a tls
0.05 ~and my, ~please call, ~=pls kl, ~=pt an, ~say, ~is victor, ~down, ~=sk an, ~=tw f, ~at all, ~=at al, ~^ we're
0.05 ~=a ast, ~=ltl pt, ~hello you're, ~jenny, ~volume, ~irene, ~alone, ~walker roofing, ~=wlk rfnk, ~call at
0.05 ~to leave, ~=^ wr, ~other, ~call please, ~=kl pls, ~are currently, ~=ar krntl, ~=wt a, ~calling northgate
0.05 ~=klnk nskt, ~to northgate, ~=t nskt, ~=lt a, ~race, ~brian, ~p, ~nathan, ~your name, ~=a nm
0.04 ~next available, ~=nkt aflpl, ~david, ~connected to, ~baker's, ~answer your, ~=answ a, ~grace, ~=f klnk
0.04 ~i'll see, ~=a nmp, ~calling green, ~=klnk krn, ~=^ tn, ~^ five, ~jack, ~=an pt, ~will be, ~in that, ~=rst krn
0.04 ~=tr akn, ~try again, ~^ pine, ~=^ pn, ~morning you, ~^ he, ~has a, ~to harbour, ~=t ap, ~today, ~^ no, ~=^ n
0.04 ~is an, ~summit, ~=a ws, ~enough, ~options, ~following options, ~=flwnk aptns, ~=s tm, ~=str a, ~phone please
0.04 ~=fn pls, ~=an sr, ~mailbox, ~spa, ~lake spa, ~=lk sp
0.03 ~=a rkt, ~=t st, ~=rst f, ~is monica, ~=as mnk, ~need, ~=al ar, ~day, ~=plw a, ~eyes, ~her eyes
-0.03 ~=krt t, ~is very, ~=as f, ~trying, ~=mnk an, ~calling summit, ~=klnk smt, ~oh, ~bakery please, ~=pk pls
-0.03 ~^ frank, ~=^ frnk, ~=ant s, ~=km an, ~=^ afns, ~=al p, ~i speaking, ~=mk an, ~good morning, ~=kt mnk, ~the lord
-0.03 ~=s lt, ~hello your
-0.04 ~=s stn, ~calling walker, ~=klnk wlk, ~=w at, ~=a p, ~=tl a, ~something, ~dental, ~northgate dental, ~=nskt tntl
-0.04 ~plea, ~either, ~order, ~six, ~=sn aw, ~centre please, ~=sntr pls, ~parker, ~make a, ~important, ~=ws tn, ~early
-0.04 ~=aft a, ~^ welcome, ~=^ wlkm, ~=ant tlfn, ~=s p, ~moment please, ~eyes and
-0.05 ~=rt ln, ~=as l, ~=rsl ant, ~=wl p, ~had, ~some its, ~=sm ats, ~=s ms, ~=lk t, ~height, ~do for, ~fence
-0.05 ~fence for, ~=fns f, ~calling horizon, ~=klnk arsn, ~calling water, ~theatre, ~grand theatre, ~=krnt str, ~part
-0.05 ~=af nt, ~=as ant, ~for your, ~=an pl, ~york, ~is leo, ~a, ~^ your, ~=tnt af, ~=^ nw, ~=a frt, ~old, ~what would
-0.05 ~=wt wlt, ~=mnt pls, ~speaking what, ~=spknk wt
-0.06 ~this, ~through the, ~=srf s, ~=af an, ~cut, ~live, ~live in, ~=lf an, ~boom, ~parts department, ~=pts tptmnt
-0.06 ~leo speaking, ~=l spknk, ~=^ tnt, ~^ you'll, ~calling for, ~=klnk f, ~=frnt af, limit pauses, ~=pl w
-0.06 ~your speaking, ~^ oakwood, ~=^ akwt, ~^ susan, ~^ tom, ~with the, ~want, ~you want, ~^ sorry, ~=s f
-0.07 ~northgate, ~harris, ~united freight, ~=ant frft, ~yes hello, ~=as al, ~=a tr, ~vets, ~valley vets, ~=fl fts
-0.07 ~to bluebell, ~=t plpl, ~i help, ~=a alp, pause silence, ~=sn an, ~frank how, ~=frnk aw, ~calling sunrise
-0.07 ~=klnk snrs, ~=pls wt, ~and your, ~ellen, ~start, ~=a tlt, ~reception, ~bring, ~=a pk, ~calling you
-0.08 ~reed how, ~=rt aw, ~=^ ar, ~=a sr, ~calling lakeview, ~=klnk lkfw, ~=nw a, ~is grace, ~=as krs, ~is nathan
-0.08 ~=as nsn, ~=al t, ~=km t, ~to union, ~bluebell, ~residence, ~good afternoon, ~=kt aftn, ~new york, ~=nw ak
-0.08 ~it's the, ~=ats s, ~ten, ~a great, ~=^ pk, ~=kp a, ~and you're, ~=ant ar, ~=lw s, later pauses, ~seator
-0.08 ~grand seator, ~=krnt st, ~=an krt, ~=pt ar, ~you to
-0.09 ~roger speaking, ~=rk spknk, ~diane, ~=s a, ~=snrs pk, ~to baker, ~=tn spknk, ~=af kt, ~man, ~is wendy, ~=as wnt
-0.09 ~medical center, ~=mtkl snt, ~=ant w, ~=s mn, ~i tell, ~sir, ~=sr ar, ~we have, ~parker accounting, ~=pk akntnk
-0.09 ~horizon, ~horizon telecom, ~=arsn tlkm, ~is carol, ~=as krl, ~=rst an, ~them, ~=as mk, ~ryan
-0.10 ~=a spknk, ~to delta, ~=t tlt, ~=ar s, ~is pam, ~=as pm, ~you'll reach, ~evening thank, ~=afnk snk, ~=st an
-0.10 ~okay, ~lakeview, ~lakeview hotel, ~=lkfw atl, ~direct, ~off, ~baker and, ~center, ~like to, ~=mnk af
-0.10 ~resources, ~human resources, ~=amn rs, ~the following, ~=s flwnk, ~=st klnk, ~=t at, ~work, ~get
-0.10 ~summit software, ~=smt sftwr, ~star, ~evans, ~back
-0.11 ~^ summit, ~=^ smt, ~^ in, ~=ant a, ~and the, ~=al an, ~star cleaning, ~^ parker, ~victor speaking, ~=fkt spknk
-0.11 ~gray, ~grand, ~the grand, ~=s krnt, ~insurance, ~is steve, ~=as stf, ~to parker, ~lion, ~bakery
-0.11 ~sunrise bakery, ~distance, ~i was, ~human, ~and we, ~rapid repair, ~=rpt rp, ~for you
-0.12 ~they, ~for following, ~=f flwnk, ~driving, ~=m m, ~leo, ~true, ~=pls a, ~front office, ~=frnt afs, ~hang
-0.12 ~=s st, ~susan, ~custom, ~service desk, ~=sfs tsk, ~sarah, ~=a prs, ~morning thank, ~=mnk snk, ~=a mft, ~read
-0.12 ~i ask, ~=a ask, ~hi, ~frank
-0.13 ~=sn spknk, ~book, ~=klnk pl, ~are speaking, ~school, ~=pls al, ~move, ~=aft ant, ~and telecon, ~=ant tlkn
-0.13 ~mess, ~adams, ~that you, ~monica speaking, ~=mnk spknk, ~thomas, ~heaven, ~calling heaven, ~=klnk afn
-0.13 ~castle insurance, ~=kstl ansrns, ~uh, ~^ thank, ~bank
-0.14 ~is jenny, ~=klnk pk, ~^ northgate, ~=^ nskt, ~medical, ~=^ snk, ~=a aw, ~hello yes, ~i want, ~you hold, ~car
-0.14 ~life, ~=aw t, ~henry here, ~=anr ar, ~is calling, ~=as klnk, ~support, ~credit, ~beat, ~=am st, ~calling baker
-0.14 ~=a klt, ~some, ~water, ~=ws klnk, ~what can, ~only, ~silver, ~=lk at, ~help you, ~=alp a
-0.15 ~=a mk, ~well uh, ~=ant af, ~software, ~=sn ant, ~his, ~=wl a, ~=a st, ~hello we, ~=al w, ~=ats a, ~=lfnk an
-0.15 ~=nt t, ~=a alt, ~journey, ~norton, ~for a, ~you call, ~the morning, ~=s mnk, ~and i, ~=at ap
-0.16 ~walker, ~this number, ~olivia, ~was just, ~^ some, ~=aw a, ~sorry i, ~is david, ~=as tft, ~^ sunrise, ~=^ snrs
-0.16 ~is tina, ~^ do, ~red, ~meeting, ~twelve, ~don't know, ~=tnt nw, ~pine, ~pine street, ~=pn strt, ~moment
-0.16 ~mister, ~can't come, ~=knt km, ~=a snt, ~^ rapid, ~hear, ~=fts s, ~=^ rpt, ~=s nw, ~direct your, ~to call
-0.16 ~=s t
-0.17 ~=ws an, ~thought, ~she is, ~talking, ~here, pause length, ~=tk s, ~the service, ~=s sfs, ~=t kl, ~may, ~castle
-0.17 ~^ don't, ~delta, ~of you, ~=s wt, ~got
-0.18 ~harbour bank, ~=ap pnk, ~is paul, ~=as pl, ~=al rs, ~hello, ~you back, ~the red, ~i'll get, ~calling meadow
-0.18 ~=klnk mtw, ~hi i'm, ~oakwood school, ~=akwt sl, ~=st s, ~call you, ~when the, ~=wn s, ~the parts, ~week
-0.18 ~is sarah, ~kingston, ~really, ~=pk a, ~=al lf, ~lewis
-0.19 ~breathe, ~=kl a, ~^ so, ~front desk, ~=frnt tsk, ~a new, ~you called, ~=as a, ~=trkt a, ~speaking with, ~hughes
-0.19 ~little, ~to a, ~taylor, ~=a mnk, ~=nt an
-0.20 ~tom, ~reached tom, ~=rst tm, ~can't talk, ~=knt tlk, ~energy, ~i say, ~green, ~=a t, ~=s afnk, ~=al a, ~telecom
-0.20 ~is irene, ~=s pk, ~i've, ~her
-0.21 ~calling start, ~=lk a, ~karen, ~furniture, ~i'm on, ~=klnk ant, ~are calling, ~=as arn, ~home, ~and for
-0.21 ~=ant f, ~the only, ~=s anl, ~=rst sn, ~to oakwood, ~=t akwt, ~=t nt
-0.22 ~kingston furniture, ~=knkstn fntr, ~=ar srf, ~is ellen, ~thanks for, ~=snks f, ~living, ~=wnt t, ~=a mnt
-0.22 ~=an t, ~=w as, ~i'll be, ~=flwnk s, ~customer care, ~=kstm kr, ~=as aln, ~=ws s, ~been
-0.23 ~going to, ~=knk t, ~=kt s, ~delta energy, ~=tlt ank, ~is brian, ~=pk ant, ~you can't, ~calling blue, ~=as pls
-0.23 ~to be, ~repair, ~is, ~^ i'll, ~=a sn
-0.24 ~i, ~=as prn, ~the high, ~=al kt, ~calling evans, ~=klnk afns, ~=a wnt, ~too, ~want to, ~metro, ~=f a, ~=^ sm
-0.24 ~i think, ~then you, ~=s rt, ~is it, ~in the, ~are not
-0.25 ~you're speaking, ~who's calling, ~come, ~calling me, ~roofing, ~hello and, ~^ castle, ~=^ kstl, ~=s ps
-0.25 ~calling united, ~=as at, ~portrolling, ~=a ptrlnk
-0.26 ~=as sr, ~you portrolling, ~reached susan, ~of the, ~for, ~the star, ~=klnk t, ~alice, ~how may, ~=aw m
-0.26 ~afternoon thank, ~=aftn snk, ~=tn ar, ~i've been, ~family, ~=ats tn
-0.27 ~more, ~thy, ~=am a, ~is karen, ~good evening, ~talk, ~florist this, ~=flrst s, ~^ lord, ~is chris, ~do not
-0.27 ~=as w
-0.28 ~=kl m, ~=at at, ~=klnk s, ~=^ kt, ~how can, ~=aw kn, ~=t f, ~he, ~=as srs, ~care
-0.29 ~are through, ~pam, pause free words, ~is mark, ~it is, ~=at as, ~^ you've, ~=a a, ~it's a, ~=t p
-0.30 ~i take, ~doctor, ~carol, ~i don't, ~=kt afnk
-0.31 ~=kt a, ~=ws st, ~=s af, ~ask, ~year
-0.32 later words, ~=a krt, ~desk, ~think, ~=s s, ~calling rapid, ~=klnk rpt, ~your seeking, ~=a sknk, ~you've
-0.32 ~who is
-0.33 ~=al ant, ~lord, ~waiting, ~accounting, ~love, limit words, ~=a kt, ~kind of
-0.34 ~you're not, ~kind, ~i'll, ~name is, ~=nm as, ~have your, ~morning, ~=spknk ws, ~roger
-0.35 ~do, ~reed this, ~=rt s, ~one second, ~=an sknt, ~one moment, ~=an mnt
-0.36 ~teaching, ~=pnk m, ~it, ~=p a, ~new, ~didn't, ~the law, ~=klnk m, pause words, ~evening, ~=sr a
-0.37 ~who am, ~=w am, ~service, ~hope, ~^ the, limit length, ~what's up, ~=wts ap, ~=fn s, ~=a tk, ~=a lk, ~right
-0.37 ~=ar spknk
-0.38 ~=^ an, ~room, ~calling the, ~=k at, ~calling please, ~=klnk pls, ~monica
-0.39 ~call me, ~came, ~tina
-0.40 limit silence, ~=knt af, ~you like
-0.41 ~credit this, ~=krt s, ~^ yeah, ~=al m
-0.42 ~department, ~sense, ~=an am
-0.43 ~yeah, ~going, ~=as st, ~my, ~am i
-0.44 ~was, ~would, ~=s lw, ~can
-0.45 ~=am an, ~=a as, ~front, ~i have, ~hold, ~could
-0.46 ~thanks, ~mum, ~henry, ~just, ~law, ~through
-0.47 ~=af pn, ~on a
-0.48 ~who's
-0.49 ~=a snk, ~victor, ~do you
-0.50 ~would you, ~=wlt a, ~great, ~^ yes, ~she
-0.51 ~may i
-0.52 ~seeking
-0.53 ~where, ~help
-0.54 ~emergency, ~what is, ~=wt as, ~through to, ~=srf t
-0.56 ~street
-0.58 ~=ar nt
-0.59 ~good, ~that
-0.60 later free words, ~my name, ~=m nm, ~best
-0.62 ~go, ~hello i, ~can you, ~name, ~=^ as
-0.63 ~can i
-0.64 ~=at am, ~afternoon
-0.66 ~=al as
-0.67 ~=a an
-0.68 ~=m a
-0.69 ~=ar a
-0.70 ~=a tnt
-0.71 later
-0.72 ~which
-0.74 ~don't
-0.75 ~what's
-0.76 ~second
-0.77 ~i'm in
-0.78 ~=klt a
-0.80 ~=t pk
-0.83 ~yes, ~=alt an
-0.85 ~about
-0.86 ~is this
-0.87 pause, ~who
-0.92 ~are you
-1.03 ~what
-1.05 limit
-1.26 ~how
-1.31 ~=kn a
-1.94 ~speaking
`;

export const FREE_WORD_WEIGHTS: ReadonlyMap<string, number> = new Map(
  TABLE.trim()
    .split('\n')
    .flatMap((line) => {
      const end = line.indexOf(' ');
      const weight = Number(line.slice(0, end));
      return line
        .slice(end + 1)
        .split(', ')
        .map((name): [string, number] => [name, weight]);
    }),
);
