/** Sentences in which all sounds of English come, and what customers of banks say; none of those that are tried in asr.ts. */
export const TEXTS: readonly string[] = `the birch boat slid down the smooth river bank
a large size in stockings is hard to sell these days
it is easy to tell the depth of a quiet well
the juice of ripe lemons makes a fine punch for the guests
rice is often served in round white bowls
four hours of steady work faced the seven of us
help the woman get back to her feet before she falls
the soft cushion broke the young man's fall
a salt pickle tastes fine with cold ham and cheese
press the pants and sew a button on the vest
the swan dive was far short of perfect last july
the beauty of the view stunned the young boy
two blue fish swam in the deep tank all morning
her purse was full of useless trash and old keys
the colt reared and threw the tall rider off
it snowed rained and hailed the same morning in may
read verse out loud for pleasure and for practice
hoist the load to your left shoulder and walk on
take the winding path to reach the lake house
wipe the grease off his dirty face with this cloth
men strive but seldom get rich by honest labour
the fruit peel was cut in thick slices for us
the source of the huge river is a clear spring
kick the ball straight and follow through with force
a pot of tea helps to pass the evening hours
smoky fires lack flame and heat in damp weather
the wrist was badly strained and hung limp
the stray cat gave birth to five kittens on sunday
the young girl gave no clear response to the judge
what joy there is in living by the ocean
one two three four five six seven eight nine zero
nine oh eight one seven two six four five three
three three six five one oh two nine seven four
seven five zero eight nine one four two six three
double six five eight four nine one oh seven three
two eight nine five five one three seven six zero
yes no yes please no thank you that's right okay sure
i would like to know whether my payment has arrived
please could you tell me which account you mean
send the money to my savings account on friday
my card was stolen yesterday in the train station
can i talk with somebody about a loan for a house
where did you send the new debit card to
there should be more money in there than that
cancel the transfer and check what is left please
stop wait hold on hello goodbye sorry help agent thanks
how much do i still owe on my credit card
what were the last three things that i bought`.split('\n');
