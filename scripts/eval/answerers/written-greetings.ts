/**
 * What people and machines say when they pick up, written down by hand for the weights of free words: nobody's recording,
 * and none of the greetings of scripts/bench/amd. In braces: a name that is filled in, `|` between ways to say it.
 */
export interface WrittenGreeting {
  readonly by: 'person' | 'machine';
  readonly text: string;
}

const FIRST =
  'Alice|Brian|Carol|David|Ellen|Frank|Grace|Henry|Irene|Jack|Karen|Leo|Monica|Nathan|Olivia|Paul|Rachel|Steve|Tina|Victor|Wendy|Susan|Mark|Diane|Chris|Pam|Roger|Sarah|Tom|Jenny';
const LAST =
  'Adams|Baker|Carter|Dixon|Evans|Foster|Gray|Harris|Irving|Jenkins|King|Lewis|Morgan|Norton|Parker|Quinn|Reed|Stone|Taylor|Walker|Young|Wright|Bennett|Collins|Murphy|Hughes';
const FIRM =
  'Northgate Dental|Baker and Reed|Summit Software|Lakeview Hotel|Harbour Bank|Evans Electric|Green Valley Vets|Sunrise Bakery|Metro Taxi|Oakwood School|Star Cleaning|Kingston Furniture|United Freight|Bluebell Florist|Castle Insurance|the Grand Theatre|Parker Accounting|Silver Lake Spa|Delta Energy|Meadow Medical Centre|Union Credit|Rapid Repairs|Walker Roofing|the Red Lion|Pine Street Surgery|Horizon Telecom';
const DEPARTMENT =
  'sales|accounts|the service desk|reservations|customer care|the front office|technical support|the billing department|human resources|reception|the parts department|the warehouse';

export const SLOTS: Readonly<Record<string, readonly string[]>> = {
  first: FIRST.split('|'),
  last: LAST.split('|'),
  firm: FIRM.split('|'),
  department: DEPARTMENT.split('|'),
  morning: ['morning', 'afternoon', 'evening'],
  number: [
    'five five five, two one nine eight',
    'seven seven two, four zero one three',
    'zero two zero, seven nine four six',
    'six one seven, five five five, zero one four two',
  ],
};

const PEOPLE = `
{firm}, good {morning}, {first} speaking, how can I help you?
{firm}, {first} speaking, how may I help you today?
Good {morning}, {firm}, this is {first}, how can I help?
Good {morning}, {firm}, you're speaking with {first}, how can I help you?
Good {morning}, {firm}, how may I direct your call?
Good {morning}, thank you for calling {firm}, this is {first}, how may I help you?
Good {morning}, thank you for calling {firm}, you're speaking with {first}.
Good {morning} and thank you for calling {firm}, {first} here, what can I do for you?
Thank you for calling {firm}, this is {first}, how can I help you today?
Thank you for calling {firm}, this is {first} speaking, how may I assist you?
Thank you for calling {firm}, {first} speaking, may I have your account number, please?
Thank you for calling {firm}, my name is {first}, who am I speaking with?
Thank you for calling {firm}, how can I help?
Thanks for calling {firm}, this is {first}, how can I make your day better?
Thanks for calling {firm}, {first} speaking.
Thanks for calling {firm}, what can I get for you?
Thank you for holding, this is {first}, how can I help?
Thanks for waiting, {first} speaking, what can I do for you?
Sorry to keep you waiting, {first} here, how can I help?
Welcome to {firm}, this is {first}, how may I help you?
Welcome to {firm}, my name is {first}, how can I be of service?
Hello, {firm}, {first} speaking, how can I help you?
Hello, {firm}, how can I help?
Hello, this is {first} from {firm}, how can I help you?
Hello, this is {first} at {firm}, what can I do for you?
Hello and thanks for calling {firm}, my name is {first}, may I have your name, please?
Hello, you're through to {firm}, {first} speaking.
Hello, you're through to {department}, my name is {first}, how can I help you today?
Hello, you're speaking to {first} at {firm}, how can I help?
Hi, {firm}, this is {first}.
Hi, {first} from {firm}, what's up?
Hi, thanks for calling {firm}, this is {first}, are you calling to place an order?
Hi there, you're through to {first} in {department}, how can I help?
{department}, {first} {last} speaking, how can I help you?
{department}, good {morning}, you're speaking with {first}.
{department}, this is {first}, can I put you on hold for one second?
{department}, {first} speaking, could I take your name, please?
Good {morning}, {department}, who would you like to speak to?
Good {morning}, {firm}, which department do you need?
Good {morning}, {firm}, would you like to make an appointment?
Good {morning}, {firm}, do you want to book a table?
Good {morning}, {firm}, can you hold, please?
{firm}, can you hold for a moment, please?
{firm}, please hold one second, I'm just with another customer.
{firm}, just one moment, please. Thanks for waiting, how can I help?
{firm}, hello, what would you like to order?
{firm}, {first} here, is this about a delivery?
{firm}, {last}.
Doctor {last}'s office, {first} speaking, how can I help?
Doctor {last}'s office, can you hold, please?
Office of {first} {last}, this is her assistant, may I ask who's calling?
{first} {last}'s office, this is {first}, who may I say is calling?
{last} and Sons, {first} speaking, what can I do for you?
{last} residence, {first} speaking, who's calling, please?
{last} residence, this is {first}, may I ask who is calling?
Hello, {last} residence, to whom am I speaking?
Hello, {first} {last} speaking, who's that, please?
Hello, this is {first} {last}, who am I speaking with?
Hello, this is {first}, sorry, I didn't catch your name.
Hello, this is {first}, can I call you back in ten minutes, I'm driving.
Hello, {first} here, I was just about to go out, who is it?
Hello? Hello, is anybody there? I can't hear you.
Hello? Yes? Who is it? Speak up, please, the line is very bad.
Hello? Yes, it's me, what is it?
Hello? Oh hi, I was just thinking of you, how are you?
Hello? Hello? I think we've got a bad connection.
Hello, yes, one second, let me turn the radio down.
Hello, hang on a minute, I'll just close the door.
Hello, hold on, let me get my glasses. Right, who is this?
Hello, sorry, I was in the garden, it took me a while to get to the phone.
Hello, I hope you're not trying to sell me something.
Hello, if this is about my car's warranty I'm not interested.
Hello, is that you, {first}? I've been waiting for you to call.
Hello, do you know what time it is?
Hi, is this the delivery? I'm at home, just ring the bell.
Hi, {first}, I'm glad you called, where are you?
Hi honey, I'm still at work, what's up?
Hi, this is {first}, I'm in the middle of something, is it important?
Hi, it's {first}, what can I do for you?
Hi, it's {first} {last}, I saw that you tried to call me.
Hey, what's up, how are you doing?
Hey, I was just going to call you.
Hey {first}, is everything all right?
Yes, hello, this is {first} {last}, what is this about?
Yes, {first} {last} speaking, go ahead, please.
Yes, this is {first}, what do you want?
Yes, who's calling, please?
Yes, hello, I can hear you, can you hear me?
Yes, hello, are you calling about the flat?
Yes? I'm sorry, I don't know this number, who is this?
Yeah, hi, who's this?
Yeah, this is {first}, what's going on?
Yeah, hold on a second, I can't talk right now, I'm in a meeting.
Speaking, who is this, please?
This is {first} {last}, how can I help you?
This is {first}, who am I talking to?
This is he, may I ask what this is regarding?
This is she, what is this concerning, please?
{first} {last} speaking, what can I do for you?
{first} {last}, good {morning}, how can I help you?
{first} {last}, {firm}, good {morning}.
{first} here, who's speaking?
{first} speaking, I'm sorry, could you say that again?
Good {morning}, {first} {last} speaking, how can I be of help?
Good {morning}, who is calling, please?
Good {morning}, this is {first} {last}, may I help you?
Good {morning}, you've got through to {first}, how can I help?
Good {morning}, front desk, {first} speaking, how may I help you?
Good {morning}, front desk, what room, please?
Operator, how may I direct your call?
Switchboard, who would you like to speak with?
Reception, {first} speaking, how can I help?
Help desk, {first} speaking, what seems to be the problem?
Emergency service, which address, please?
Police, what is your emergency?
Front desk, this is {first}, what can I do for you today?
Ward six, nurse {last} speaking, can I help you?
Mister {last}'s phone, he's just left the room, can I take a message?
{first}'s phone, this is his wife, he's in the shower.
Mum's phone, she is driving, who is it?
Hello, mum can't come to the phone, she is in the bath, who's speaking?
Hello, my dad's not home, do you want to talk to my mum?
Hello, {first} isn't in, can I take a message for her?
Hello, {first} is out at the moment, who shall I say called?
Sorry, hello, I dropped the phone, who is this?
Sorry, can you speak up, I'm on the train.
Sorry, I can't talk now, can you call me again tonight?
What is it now?
Who is this?
Can I help you?
Go ahead, I'm listening.
One moment, please, I'll get a pen. Okay, go on.
How did you get this number?
Is that the doctor? I have been waiting for your call.
Did you find it? I've been looking everywhere.
Are you there yet? I'm standing in front of the station.
No, I told you, I don't want to buy anything.
I'm in a meeting, can I ring you back?
We're just having dinner, what is it?
You're speaking with {first} in {department}, what's your order number?
You're through to {firm}, this is {first}, can I take your postcode, please?
You are through to {first} {last}, how can I help you?
You've come through to {department}, {first} speaking.
You have come through to {firm}, can I take your name, please?
{firm}, you're speaking with {first}, could I have your reference number?
{firm}, customer service, {first} speaking, may I have your phone number?
{firm} customer care, my name is {first}, how may I assist you today?
{firm}, my name is {first}, and how can I help you this {morning}?
{firm}, your local experts, {first} speaking.
{firm}, home of the best pizza in town, what would you like?
It's a great day at {firm}, this is {first}, how may I help you?
It's a beautiful {morning} at {firm}, {first} speaking, how can I help?
Thank you for choosing {firm}, this is {first}, can I have your booking number?
Thank you for calling {firm} in the High Street, this is {first}, what are you looking for?
Thank you for calling the {firm} help line, my name is {first}, what is your name?
Thank you for calling {firm}, would you like to book a room?
Thank you for calling {firm}, where can I send a driver for you?
Thank you for calling {firm}, are you a new patient?
Thank you for calling {firm}, it's {first} here, what's the matter?
Thank you for calling {firm}, you've reached {first}, how can I help?
You've reached {firm}, this is {first}, how can I help you?
You've reached {first} in {department}, how can I help you today?
{firm}, {first} here, which branch were you after?
{firm}, {first}, hi, are you ringing about an order?
{firm}, can I take your name, please?
{firm}, good {morning}, do you have an appointment with us?
{firm}, this is {first} in {department}, how can I be of help?
{firm}, who are you trying to get hold of?
{firm}, it's {first}, sorry about the wait, what can I do for you?
{firm}, just bear with me a second, please.
{firm}, one second, please. Right, thanks for holding, how can I help?
{firm}, {first} {last}, extension four one two.
{firm}, {first} {last} speaking, good {morning} to you.
{firm}, is it a delivery or a collection?
Good {morning}, {firm}, {first} here, what's the registration number, please?
Good {morning}, {firm}, may I take your surname, please?
Good {morning}, {firm}, this call is with {first}, how may I help?
Good {morning}, {firm}, is it all right if I put you on hold?
Good {morning}, {firm}, are you a member with us already?
Good {morning}, you've got {first} at {firm}, what can I do for you?
Good {morning} and welcome to {firm}, {first} speaking, may I have your booking reference?
Good {morning} and welcome to {firm}, you're speaking with {first}, how may I help you?
Good {morning}, thanks for ringing {firm}, {first} speaking.
Good {morning}, thanks for calling {firm}, what can we do for you today?
Good {morning}, it's a pleasure to have you on the line, my name is {first}.
Good {morning}, {department} at {firm}, {first} speaking, how can I help?
Good {morning}, {last} residence, who's calling, please?
Good {morning}, {last} household, can I ask who's speaking?
Good {morning}, {first} speaking, whom would you like to talk to?
Hello, {firm}, {first} on the line, could I have your postcode?
Hello, {firm}, would you mind holding for a minute?
Hello, {department}, {first} speaking, what is your customer number?
Hello, you've reached {first} at {firm}, what can I help you with?
Hello, you've got {first}, what can I do for you?
Hello, this is {firm}, {first} speaking, what can I do for you today?
Hello, this is {department}, you're speaking with {first}.
Hello, welcome to {firm}, I'm {first}, how can I help you today?
Hello and welcome to {firm}, you're speaking with {first}, may I take your name?
Hello, thank you for calling {firm}, you're through to {first}, how can I help?
Hello, thank you for ringing {firm}, who would you like to speak to?
Hello, thank you for waiting, you're speaking to {first}, how may I help?
Hello, thanks for your patience, my name's {first}, what can I do for you?
Hello, {first} {last}, could you wait just a second while I step outside?
Hello, this is {first}, I'm sorry, I was expecting somebody else.
Hello, this is {first}'s mother, who is speaking, please?
Hello, this is {first}, if it's about the invoice I've sent it already.
Hello, it's {first} here, I've only got a minute, what is it?
Hello, it's {first}, I was hoping you'd ring, have you got any news?
Hello, yes, I'm here, sorry, I had the phone on mute.
Hello, yes, I did ring you this {morning}, thanks for calling back.
Hello, I'm just on the bus, can you hear me all right?
Hello, I can't really hear you, can you say that again?
Hello, I'm at work right now, could you ring me later?
Hello, are you the lady I spoke to yesterday?
Hello, could you hold the line, please, I'll get my husband.
Hello, my wife isn't here just now, do you want to leave her a message?
Hello, she's not in at the moment, who's calling?
Hello, he's on the other phone, can he ring you back?
Hello? Sorry, I nearly didn't hear the phone, who is it?
Hello? Yes, that's right, this is {first}, how can I help you?
Hello? I think you might have the wrong number.
Hello? I'm not going to buy anything, just so you know.
Hello? Sorry, my hands were full. Who's this?
Hi, you're through to {firm}, what can I do for you?
Hi, this is {first} at {firm}, how's it going?
Hi, this is {first} in {department}, how can I help you?
Hi, this is {first}, sorry, the signal here is terrible.
Hi, this is {first}, are you the one who rang a minute ago?
Hi, thank you for calling {firm}, {first} speaking, can you hold for a second?
Hi, welcome to {firm}, this is {first}, what would you like today?
Hi, it's {first}, I missed a call from this number.
Hi, yeah, I'm just parking the car, give me a second.
Hi, sorry, I was out of breath, I ran for the phone.
Hi, I'm actually just walking into a shop, who is this?
Hey, can you hear me? I'm in the lift.
Hey {first}, I'm nearly there, five more minutes.
Hey, I was wondering when you would call me.
Yes, hi, thanks for ringing back, I wanted to ask you something.
Yes, this is {firm}, {first} speaking, can I help you?
Yes, hello, {last} residence, who is it, please?
Yes, I'm {first} {last}, what's the matter?
Yes, that's me, who am I talking to, please?
Yes, of course, I've got time, what's it about?
Yes? I'm in the middle of dinner, is this urgent?
Yeah, {first} speaking, who's calling?
Yeah, hello, I'm listening, go on.
Yeah, I'm at home, come on up.
Oh, hello, I wasn't expecting you to ring today.
Oh hi, how are you, I haven't heard from you for ages.
Okay, I've got you now, the line was breaking up, who is it?
Right, sorry about that, who's speaking?
Um, hello, who is this, please?
Mm, hello, I was asleep, what time is it?
Thank you for calling {firm}, this is {first}, how may I direct your call?
Thank you for calling {firm}, {first} speaking, how can I help you this {morning}?
Thank you for calling {firm}, {first} speaking, can I get your phone number, please?
Thank you for calling {firm}, {first} {last} speaking, how may I be of assistance?
Thank you for calling {firm}, I'm {first}, who do I have the pleasure of speaking with?
Thank you for calling {firm}, how may I direct your call?
Thank you for calling {firm}, how can we help you today?
Thank you for calling {firm}, how can I make you smile today?
Thank you for calling {firm}, what can I do for you?
Thank you for calling {firm}, which department would you like?
Thank you for calling {firm}, may I put you on a short hold?
Thank you for calling {firm}, you're speaking to {first}, what's your name, please?
Thank you for calling {firm}, would you like to make an appointment?
Thank you for calling {firm}, will this be for pick up or delivery?
Thank you for calling {firm}, is this for a new booking?
Thank you for calling {department}, this is {first}, how can I help you today?
Thank you for calling {department} at {firm}, my name is {first}.
Thank you for calling Doctor {last}'s office, this is {first}, how can I help?
Thank you for calling, this is {first} at {firm}, how can I help?
Thank you for ringing {firm}, {first} speaking, how can I help you?
Thanks for calling {firm}, how can I help?
Thanks for calling {firm}, you've got {first}, what's up?
Thanks for calling {firm}, {first} here, is it an emergency?
Thanks for calling back, I just wanted to ask you about Saturday.
Welcome to {firm}, you're speaking with {first}, may I have your account number?
Welcome to {firm}, {first} speaking, are you calling about a reservation?
Welcome to {firm}, how can I help you?
You're through to {department}, {first} speaking, how can I help?
You're through to {first}, can I take your date of birth, please?
You've got {first}, who's that?
You've reached {department}, {first} speaking, what can I do for you?
You've reached {firm}, {first} here, can I help you?
You have reached {firm}, this is {first}, who's calling, please?
This is {firm}, {first} speaking, how can I help?
This is {department}, {first} speaking.
This is {first} with {firm}, how can I help you today?
This is {first} in {department}, who am I speaking to?
This is {first}, I'm sorry, I can't hear you very well.
This is {first} {last}, go ahead.
This is Doctor {last}, how can I help you?
This is the {last} residence, who is calling?
{department}, {first}, hold on a moment, please.
{department}, how can I direct you?
{department}, good {morning}, {first} {last} on the line.
{first} {last}, {department}, how can I help?
{first} from {firm}, hello, what can I do for you?
{first} {last}, yes, who is this, please?
{first} on the phone, who's there?
Doctor {last}'s surgery, {first} speaking, is it for an appointment?
Nurse {last} speaking, which patient are you calling about?
Dispatch, {first} speaking, what's your location?
Main desk, {first} speaking, how can I help?
Customer services, you're speaking with {first}, can I take your order number?
School office, {first} {last} speaking, how can I help?
Sorry, who did you say is calling?
Sorry, I was just putting the baby to bed, who is it?
I'm sorry, who are you looking for?
I'm sorry, he doesn't live here any more.
I'm on my way, I'll be with you in ten minutes.
I was just about to ring you, what happened?
I can hear you fine, go ahead.
No, it's all right, I can talk, what's happening?
We don't want any, thank you.
We've been expecting your call, is everything all right?
Just a minute, I'll turn the television down.
Could you speak a little louder, please?
May I ask who's calling, please?
What can I do for you this {morning}?
Do I know you? Where are you calling from?
Please tell me you're calling about the heating.
Please hold for one moment, I'll put you through to {first}.
If you're calling about the advertisement, it's already sold.
`;

const MACHINES = `
Hi, you've reached {first}. Sorry I missed you. Leave a message and I'll call you back.
Hi, you've reached {first} {last}. I'm either on the phone or away from my desk.
Hi, you've reached {first} {last}. I'm unable to take your call right now. Please leave your name and number.
Hi, you have reached {first} at {firm}. I'm currently out of the office.
Hi, you've reached the {last} family. We're not able to get to the phone. Please leave us a message.
Hi, this is {first}, I can't get to the phone right now, so please leave a message.
Hi, this is {first}, I'm not available at the moment. Please leave your name and number and I'll get back to you.
Hi, this is {first}, I can't talk right now, but leave a message and I'll ring you back.
Hi, this is {first} {last}. I'm away from my phone. Please leave a message after the tone.
Hi, this is {first} {last} with {firm}. I'm sorry I missed your call.
Hi, this is {first} {last}, I am on annual leave until the tenth. If it's urgent, please call {first}.
Hi, this is {first} and {first}. We can't come to the phone. Leave a message.
Hi, it's {first}. You know what to do. Wait for the beep.
Hi, it's {first}, leave your name and number and I'll call you later.
Hi, it's {first}. I'm probably asleep or at work. Send me a text instead.
Hi, {first} here. I'm away at the moment, please leave me a message.
Hi, thanks for calling. We can't answer the phone just now. Please leave your name and number.
Hi, sorry, I can't take your call. Please leave a message.
Hi, we're not at home at the moment. If you leave a message, we will call you back.
Hi, I'm sorry I can't get to the phone. Please leave a message.
Hi, I'm busy just now. Please text me or leave a message.
Hello, you've reached {first} {last}. I'm in a meeting or on another call. Please leave a message.
Hello, you've reached {first} in {department}. I'm away from my desk at the moment.
Hello, you've reached {firm}. We're closed at the moment. Our opening times are nine to six.
Hello, you have reached {firm}. Nobody can take your call at present.
Hello, you have reached the voicemail of {first} {last}. Please leave a message.
Hello, you have reached {number}. Please leave a message after the tone.
Hello, this is {first} {last}. I'm not able to answer your call at the moment.
Hello, this is {first} {last}, I'm out of the office today. Please leave a message.
Hello, this is {first}'s phone. I can't answer right now. Leave a message after the beep.
Hello, this is the {last} residence. No one is home. Please leave your name and number.
Hello, this is the answering machine of {first} and {first} {last}.
Hello, this is {firm}. We are unable to answer the phone. Please leave a message.
Hello, thanks for calling {firm}. All of our lines are busy. Please hold and somebody will be with you shortly.
Hello, thank you for calling {firm}. Our offices are now closed.
Hello, welcome to the {firm} voicemail service. Please leave your message after the tone.
Hello, I'm afraid I can't answer your call. Please leave a message after the tone.
Hello, I'm currently away from the phone. Leave me your number and I will call you.
Hello, we can't take your call just now, but if you leave a message we'll get back to you.
Hello, {first} can't take your call right now. Please leave a message after the beep.
Hello, your call cannot be taken at the moment, so please leave your message after the tone.
Hello. Please leave a message after the tone. You may hang up or press one for more options.
Hello. Welcome to Voice Mail. The person you called cannot take your call. Please leave a message.
Hey, it's {first}, I can't pick up, leave me a message.
Hey, this is {first}. I'm not around. Leave a message, and have a great day.
Hey, you've reached {first}'s cell. Leave a message and I'll hit you back.
Hey, sorry I missed you. Leave your name and number.
Hey there, you've reached {first}. I must be busy. Talk to you soon.
You've reached {first} {last}. Please leave your name, number and a short message.
You've reached {first} {last} at {firm}. I am not available to take your call.
You've reached {number}. We can't take your call. Please leave a message.
You've reached the offices of {firm}. Our business hours are from eight to five.
You've reached the {last}s. We're out. Leave a message.
You have reached {first} {last}, senior manager in {department}. I'm out of the office.
You have reached {firm}. We are open Monday to Saturday from ten to six.
You have reached {firm}. Due to the holiday, we are closed.
You have reached {firm}. If this is a medical emergency, please hang up and dial nine one one.
You have reached the after hours line of {firm}. Please leave a message.
You have reached the mailbox of extension two zero four. Please record your message.
You have reached a number that is no longer in service.
You have reached a non working number. Please check the number and try again.
You are connected to the voicemail of {first} {last}. Please speak after the tone.
You're through to the voicemail of {first} {last}. Please leave me a message.
You're through to {first} {last}. I'm sorry that I can't take your call.
Welcome to the message service. The customer you are calling is unable to take your call.
Welcome to the voicemail of {first} {last}. I'm on leave until Monday.
Welcome to the O two messaging service. The person you are calling is unable to take your call.
This is {first} {last}. I'm either away from my desk or on another line.
This is {first} {last}, please leave a message and I'll return your call.
This is {first} {last}'s voicemail. I will be back in the office on Tuesday.
This is {first}. Leave a message.
This is {firm}. Our office is currently closed. Please leave a message.
This is the voicemail of {number}. Please leave your message.
This is the automated attendant of {firm}.
This is a recording. The number you have dialled is not recognised.
This is a free announcement. The number you have called has not been recognised.
This number is no longer in use. Please contact the person you wish to call in another way.
This customer's voicemail is full and cannot accept any messages.
This subscriber is currently not accepting calls.
The person you have called is unavailable right now. Please leave a message after the tone.
The person at extension one one three is not available.
The person you're trying to call has a voice mailbox that hasn't been set up.
The person you are trying to reach has a mailbox that is full.
The number you are calling is switched off or out of coverage.
The number you have called is not available. Please try later.
The number you have reached has been changed. The new number is {number}.
The number you dialled has not been recognised. Please check and try again.
The customer you have called is not reachable at the moment.
The subscriber you are trying to reach is out of the coverage area.
The wireless customer you are calling is not available at this time.
The mobile customer you are trying to call cannot be reached. Please hang up and try again.
The Verizon customer you are trying to reach is unavailable.
The user you are calling is busy. Please leave a message after the beep.
The line is busy. Please stay on the line, or call back later.
The office is closed today. Please call again tomorrow.
The party you are calling is on another line. To leave a message, wait for the tone.
{number} is not available. Please leave a message after the tone. When finished recording, hang up.
{first} {last} is not available. At the tone, please record your message.
{first} {last} can't take your call at the moment. If you'd like to leave a message, speak after the beep.
{first}. Sorry I can't take your call. Please leave a message.
{first} {last}. Please leave a message after the signal.
{firm}. There is nobody in the office at present. Please leave a message after the tone.
{firm}. Our office is open from nine to five on weekdays.
{firm}. We're sorry, but all our lines are engaged.
{last} and {last} answering service. Please leave your name and telephone number.
Your call has been forwarded to voice mail. The person you're trying to reach is not available.
Your call has been forwarded to the mailbox of {first} {last}.
Your call cannot be completed as dialed. Please check the number and dial again.
Your call can't be connected. Please try again later.
Your call is being diverted to voicemail. Please wait.
Your call may be monitored for training purposes.
Your call is very important to us. Please stay on the line.
Please leave your message for {first} {last} after the tone.
Please leave a message after the beep. Thank you.
Please record your message. When you have finished recording, hang up, or press hash for more options.
Please hold while we try to connect you.
Please hold while I try to find the person you are calling.
Please stay on the line. The next available agent will take your call.
Please wait while your call is transferred.
Please say your name, and I'll see if this person is available.
Please state your name and why you are calling after the tone.
If you record your name and reason for calling, I'll see if this person is available.
Hi, the person you're calling is using a screening service. Please say your name and why you're calling.
Hi, if you record your name and reason for calling, I'll see if they are available.
Call assist by {firm}. Please state your name after the tone.
At the tone, please record your message. When you have finished, you may hang up.
After the tone, please leave your name and phone number.
Leave a message for {first} after the beep.
Leave your name and number and I'll get back to you.
No one is available to take your call. Please leave a message after the tone.
Nobody is at home right now. Please leave a message.
There is no one here to take your call. Please call again during office hours.
There's nobody here to answer the phone. Please leave your details.
Sorry, I'm not available to take your call. Leave a message, please.
Sorry, I can't come to the phone. I'm probably out walking the dog.
Sorry, nobody can get to the phone. Please call later.
Sorry, the person you are calling is not available. Please leave a message.
Sorry, there is no reply. Please try again.
Sorry we're not here to take your call.
I'm sorry, but the person you called has a voicemail box that has not been set up yet.
I'm sorry, I can't answer your call at present. Please leave a message.
I'm not here. Leave a message.
I'm not able to come to the phone right now.
I'm unavailable at the moment. Please leave a message.
I'm away from the phone just now, so please leave your name and number.
I can't get to the phone just now. You know the drill.
I am currently in a class or a meeting. Please send an email.
We're sorry. Your call cannot be completed at this time.
We're sorry, you have reached a number that has been disconnected.
We are sorry, all circuits are busy now. Please try your call again later.
We are currently closed. Please leave a message or visit our website.
We are experiencing a high volume of calls. Please hold for the next available agent.
We can't come to the phone just now. Please leave a message.
We're unable to take your call. Please leave a message after the long tone.
Good {morning}. You have reached {firm}. We cannot take your call right now.
Good {morning}. You've reached the voicemail of {first} {last}.
Good {morning}. This is {firm}. Our lines are open from eight till six.
Good {morning}. This is {first} {last}. I'm sorry I'm not able to answer your call.
Good {morning}. Our office is closed for lunch. Please call back after two.
Good {morning} and thank you for calling {firm}. To help us direct your call, please select one of the following options.
Good {morning} and welcome to {firm}. Please listen carefully to the following options.
Good {morning}, thank you for calling {firm}. Your call will be answered shortly.
Good {morning}, thank you for calling {firm}. Please note that calls are recorded.
Thank you for calling {firm}. We are currently closed. Our hours are Monday through Friday.
Thank you for calling {firm}. Our office hours are eight a.m. to five p.m.
Thank you for calling {firm}. We're either on the other line or helping another customer.
Thank you for calling {firm}. You have reached us outside of our business hours.
Thank you for calling {firm}. Please leave your name, number and a brief message.
Thank you for calling {firm}. Please listen carefully, as our menu has changed.
Thank you for calling {firm}. Please choose from the following options.
Thank you for calling {firm}. Please hold for the next available representative.
Thank you for calling {firm}. For sales, press one. For service, press two.
Thank you for calling {firm}. For English, press one.
Thank you for calling {firm}. For opening hours and directions, press three.
Thank you for calling {firm}. If you know your party's extension, you may dial it at any time.
Thank you for calling {firm}. If you are calling about an existing order, press one.
Thank you for calling {firm}. If this is an emergency, hang up and dial nine one one.
Thank you for calling {firm}. To make an appointment, press one. To cancel one, press two.
Thank you for calling {firm}. To continue in English, press one.
Thank you for calling {firm}. To leave a message, press the star key.
Thank you for calling {firm}. Your call may be recorded for quality assurance.
Thank you for calling {firm}. Your call is important to us.
Thank you for calling {firm}. Your estimated waiting time is ten minutes.
Thank you for calling {firm}. All of our representatives are currently assisting other customers.
Thank you for calling {firm}. All our operators are busy at the moment.
Thank you for calling {firm}. In a few words, tell me what you're calling about.
Thank you for calling {firm}. This call will be recorded for training purposes.
Thank you for calling {firm}. Did you know that you can book online?
Thank you for calling {firm}. Calls are recorded for training and monitoring.
Thank you for calling {firm}. Nobody is available to take your call.
Thank you for calling {firm}. I'm sorry we can't take your call.
Thank you for calling the office of Doctor {last}. The office is closed.
Thank you for your call. We are unable to answer it at the moment.
Thank you for your call. Please leave a message, and we will call you back.
Thank you for calling. We are sorry that we missed your call.
Thank you for calling. Please leave a message after the tone.
Thanks for calling {firm}. We are closed right now.
Thanks for calling {firm}. We're sorry we can't get to the phone.
Thanks for calling {firm}. To speak with a member of our team, press one.
Thanks for calling {first}. Leave a message, and I'll get back to you.
Thanks for calling the {last}s. We're not in.
Thank you for choosing {firm}. Please enter your account number followed by the pound key.
Welcome to {firm}. Please listen to the following options.
Welcome to {firm}. Please enter the extension of the person you wish to speak to.
Welcome to {firm}. Please hold, you will be connected to the next free agent.
Welcome to {firm}. For accounts, press one. For support, press two.
Welcome to {firm}. If you have a touch tone phone, press one now.
Welcome to {firm}. To hear this in Spanish, press nine.
Welcome to {firm}. Your call is being recorded. You are number three in the queue.
Welcome to {firm}. Our offices are closed at present.
Welcome to {firm}. Tell me in a few words how I can help you today.
Welcome to {firm} telephone banking. Please enter your sixteen digit card number.
Welcome to the {firm} customer service line. All our advisers are busy.
Hello and welcome to {firm}. We record calls for training purposes.
Hello and welcome to {firm}. So that we can connect you to the right team, please choose an option.
Hello and welcome to {firm}. Press one for bookings, or two for anything else.
Hello and welcome to {firm}. Unfortunately our office is closed.
{firm}. If you would like to make a booking, press one.
{firm}. For directions press one, for opening times press two.
To speak to an operator, press zero, or stay on the line.
For English, press one. Para español, oprima el dos.
If you know the extension you want, dial it now. Otherwise, please hold.
Press one to leave a message, press two to be called back.
All our agents are busy right now. Please hold the line.
All lines are busy. You will be connected as soon as possible.
You are being transferred. One moment, please. All calls are recorded.
You are number four in the queue. Please hold.
Due to high call volumes, you may have to wait longer than usual.
Our opening hours are Monday to Friday, nine to half past five.
Our store is now closed. We open again at nine tomorrow morning.
Our office will be closed until the second of January.
Hi, you've reached {first} {last} at {firm}. Please leave your name and number, and I'll return your call.
Hi, you've reached {first}. I'm not able to pick up at the moment.
Hi, you've reached the voicemail of {first} {last} in {department}.
Hi, you've reached {first}'s mobile. I'm driving or in a meeting.
Hi, you've reached the phone of {first} {last}. Text me for a quicker answer.
Hi, you have reached {firm}. We're out helping other customers just now.
Hi, you have reached {firm}. All our staff are on other calls.
Hi, this is {first} {last}, head of {department}. I'm travelling this week.
Hi, this is {first} in {department}. I'm on the other line right now.
Hi, this is {first}, sorry I couldn't pick up. I'll ring you as soon as I can.
Hi, this is {first}, please don't leave a message, I never listen to them. Send me a text.
Hi, this is {first}, I'm abroad until the fifteenth and cannot be reached.
Hi, this is {first}, I've missed your call. Say something nice after the beep.
Hi, this is {firm}. We're away from the phone at the minute.
Hi, this is the {last}s. We're probably outside. Leave your name.
Hi, it's {first} and {first}. We're out at the moment.
Hi, it's {first}. I don't check my voicemail, so please text me.
Hi, I can't pick up the phone, but I'd love to hear from you, so leave a message.
Hi, I'm out of the office this week and will be back on Monday.
Hi, we can't get to the phone right now because we're with a customer.
Hi, you're talking to {first}'s answering machine.
Hi, your call is about to be answered. Please tell us your name first.
Hello, you've reached {first} {last}'s voicemail. I'm teaching at the moment.
Hello, you've reached the desk of {first} {last}. I'm away until next week.
Hello, you've reached the {last} household. Please leave a message after the beep.
Hello, you've reached {department} at {firm}. Our hours are nine to five thirty.
Hello, you've reached {firm}. Please leave a detailed message with your name and telephone number.
Hello, you've reached the emergency line of {firm}. Please leave your name and number, and we'll call you right back.
Hello, you have reached {first} {last} of {firm}. I'm not in the office today.
Hello, you have reached {firm}. Our office is closed for the holidays.
Hello, you have reached a disconnected number.
Hello, you're through to the answer phone of {firm}. We are closed.
Hello, you're through to {first}'s voicemail. Please leave a message.
Hello, this is {first} {last} from {firm}. I'm with a client at the moment.
Hello, this is {first} {last}. I'm out of the country with limited access to my messages.
Hello, this is {first}. I'm not near my phone.
Hello, this is {first}. I can't speak to you just now, please try again this evening.
Hello, this is {firm}. Our normal opening hours are ten till four.
Hello, this is {firm}. You're calling outside of our opening hours.
Hello, this is {firm}. Your call is number three in the queue.
Hello, this is {firm}'s virtual assistant. How can I help you today?
Hello, this is the automated service of {firm}. Please say what you are calling about.
Hello, this is the mailbox of {first} {last}. I'm unable to come to the phone.
Hello, welcome to {firm}. Press one for sales, or two for support.
Hello, welcome to {firm}. Your call may be recorded for quality purposes.
Hello, welcome to {firm}. Please note that our opening hours have changed.
Hello, thank you for calling {firm}. We appreciate your call. Please stay on the line.
Hello, thank you for calling {firm}. Please choose one of the following four options.
Hello, thank you for calling {firm}. For existing customers, press one.
Hello, thank you for calling {firm}. I'm your automated assistant.
Hello, thank you for your call. The office is unattended at present.
Hello, thanks for ringing. We're closed on Sundays.
Hello, and thank you for calling {first} {last}. I'm not available to speak to you.
Hello, I'm out at the moment. Please speak after the tone.
Hello, I'm sorry that I've missed you. Please leave your number.
Hello, there's nobody at home to answer your call.
Hello, no one from {firm} can take your call just now.
Hello, the person you are calling has asked not to be disturbed.
Hello, the number you are calling cannot accept your call.
Hello, the office of {first} {last} is closed until Monday.
Hello, please leave a message and we'll get back to you.
Hello, please hold, your call is being connected.
Hello. You have called {number}. Please leave your message after the tone.
Hello. Your call has been answered by an automatic message system.
Hello. {first} {last} is not available right now. Please leave a message after the beep.
Hey, it's {first}. I'm doing something else. Call me later.
Hey, this is {first}'s voicemail. Make it quick.
Hey, you've got {first}. Well, not really, it's a machine. Leave a message.
Hey, I can't answer right now. Shoot me a text.
Yo, this is {first}, leave it at the beep.
You've reached {first} {last}. I'm sorry I'm not here to take your call.
You've reached {first} in {department}. I'm out to lunch.
You've reached the home of {first} and {first} {last}.
You've reached the voice mailbox of {first} {last}. I'm currently assisting other customers.
You've reached {department}. We're open from eight thirty in the morning.
You've reached {firm} after hours. If this is urgent, press two.
You've reached {firm}. Nobody's here to answer the phone.
You've reached {firm}. All our operators are busy.
You've called {first} {last}. Please leave a message.
You've come through to the voicemail of {first} {last}.
You've dialled a wrong number. Please check it and try again.
You have reached the customer service line of {firm}. To continue in English, press one.
You have reached the office of {first} {last}. I'm either in court or with a client.
You have reached Doctor {last}'s surgery. The surgery is closed.
You have reached {firm}. Please listen closely, because our options have changed.
You have reached {number}. The person at this number is unavailable.
You have called outside normal business hours.
You have dialed an invalid number. Please hang up and try again.
You have been forwarded to voice mail. Please record your message.
You are calling {firm}. All calls are recorded.
You are now being connected to an agent. Please wait.
You are the first caller in line. Please hold.
You're in a queue. Your call will be answered in turn.
Welcome to {firm}. Our menu options have recently changed.
Welcome to {firm}. To make sure that we give you the best service, calls are recorded.
Welcome to {firm}. You can find most answers on our website.
Welcome to {firm}. All of our agents are busy at the moment.
Welcome to {firm}. Please say or enter your account number.
Welcome to {firm}. To check your balance, press one.
Welcome to {firm}. We're closed right now. Our hours are from eight until six.
Welcome to {firm}'s automated payment line.
Welcome to {department} of {firm}. Please choose from the following.
Welcome to {first}'s voice mailbox. Please record your message.
Welcome to the voice message service. Please leave a message for {number}.
Welcome to Orange voicemail. I'm sorry, but the person you've called is not available.
Welcome to {firm}, the home of low prices. For store opening hours, say store.
This is {first} {last} of {firm}. I am on the road today.
This is {first} {last}. I'm on maternity leave until September.
This is {first} {last}. Sorry for missing your call.
This is {first} {last} in {department}. I can't come to the phone right now.
This is {first}'s phone. You know the drill.
This is {firm}. If you know the extension, you can dial it now.
This is {firm}. We're busy with other callers. Please hold.
This is {firm}. Our agents are currently helping other customers.
This is {firm}. You've called outside of our working hours.
This is the {last} family. We're on holiday.
This is the voice mailbox for {first} {last}. Please leave your name.
This is the office of {first} {last}. Our staff are gone for the day.
This is an automated message. The number you called is temporarily out of order.
This is a recorded message. All our lines are busy.
This is a message from your network. The number is not in use.
This mailbox belongs to {first} {last}. Please leave a message.
This mailbox cannot take any more messages.
This phone is currently switched off. Please call again later.
This telephone number has been temporarily disconnected.
This call is being recorded. Please hold for the next adviser.
The person you've called can't talk just now.
The person you called is not answering. Please leave a message.
The person you are calling does not accept calls from unknown numbers.
The number you've called does not exist.
The number you have reached is temporarily disconnected.
The number you have reached is not a working number.
The number you have dialled is incorrect.
The number you have dialled is not available from your network.
The number you called is engaged. Please hold the line.
The number you are trying to call is not reachable.
The subscriber has turned off the phone.
The subscriber cannot be reached at present. Please leave a message.
The customer is not answering. Please call back in a few minutes.
The caller you are trying to reach has not set up a voice mailbox.
The mailbox you have reached is full.
The voice mail of this user is not activated.
The extension you have dialled is busy.
The offices of {firm} are closed. They open at nine.
The surgery is closed at the moment. If you need a doctor, please dial one one one.
The wait time is about five minutes.
{first} {last} is on the phone. Please leave a message after the tone.
{first} {last} is away from the desk. To reach someone else, press zero.
{first} is not here. Leave a message.
{first}'s not available right now. Please record your message at the tone.
{first} {last} here. I'm out of the office and back on Thursday.
{first} {last} here, sorry, I can't talk at the minute. Leave me your number.
{first} {last}, {firm}. I'm unable to take your call. Please leave a message.
{firm}. Thank you for calling. All our advisers are busy.
{firm}. Your call is being recorded. Please hold.
{firm}. We are open every day from seven in the morning.
{firm}. If you're calling about an existing claim, press two.
{firm}. Please press any key to be connected.
{firm} voicemail. Please leave your name, number and the reason for your call.
{number} cannot take your call right now. Please leave a message.
Your call has been transferred to an automatic voice message system.
Your call has been placed in a queue. Please hold.
Your call has been answered by the automated attendant.
Your call did not go through. Please try again.
Your call is being redirected. Please hold the line.
Your call is being held in a queue and will be answered shortly.
Your call is valuable to us. An adviser will be with you soon.
Your party is not answering. Please leave a message.
Calls to this number are not accepted.
Calls may be monitored and recorded. For billing, press two.
Please be aware that this call may be recorded.
Please enter the mailbox number, followed by the hash key.
Please dial the extension, or wait for an operator.
Please leave your name, your number and a brief message, and I'll call you back.
Please listen to the following menu.
Please note, our lines are closed on bank holidays.
Please say your account number now.
Please speak after the tone. To end, just hang up.
Please try your call again later. This is a recording.
Please stay on the line while we transfer you to an agent.
Please tell me who you are and why you're calling.
Hi, I'm the virtual assistant of {first} {last}. May I take a message?
Hi, I'm an automated assistant. Please tell me your name and the reason of your call.
Hi, thanks for calling {firm}. This call may be recorded.
Hi, thanks for calling {firm}. We're unavailable at the moment.
Hi, thanks for calling {firm}. To place an order, press one.
Hi, thanks for calling {first} {last}. I'm on another call.
Hi, welcome to {firm}. Our team is currently away.
If you would like to speak to somebody, please press zero.
If you need help in another language, press two.
If you are a new patient, press one. If you're calling to change an appointment, press two.
If this is an emergency, please hang up and call nine nine nine.
For appointments, press one. For prescriptions, press two.
For account information, press one. For all other questions, press zero.
To leave a voice message, press one. To hear our address, press two.
To help us to help you, please have your customer number ready.
Leave your details after the beep, and we'll be in touch.
Leave it after the beep.
No messages can be left for this customer.
Nobody's in. Please leave a message.
There is no answer from {first} {last}. Please leave a message at the tone.
There is currently no one in the office.
All of our advisers are helping other customers at the moment.
All circuits to this country are busy.
Due to a fault, we cannot connect your call.
Due to staff training, our lines are closed until eleven.
Unfortunately, all our lines are busy. Please try again later.
Unfortunately, we are unable to connect your call at this time.
Unfortunately, I can't take your call. I'll get back to you.
Sorry, I'm out. Leave a message.
Sorry, we're closed. Our opening hours are from nine to six.
Sorry, you've just missed me. Please leave your number.
Sorry, that mailbox does not exist.
Sorry, this service is not available from your telephone.
I'm sorry, {first} {last} is not available. Please leave a message.
I'm sorry, the number you have reached is not in service.
I'm sorry, I'm out of the office. For help, please call {first}.
I'm sorry I missed you. Leave your name and number.
I'm on holiday until the end of August. Please call the office.
I'm on the phone or with a customer. Please leave a message.
I can't come to the phone because I'm at work.
I will be out of the office from Wednesday to Friday.
It's {first}'s phone, but it isn't {first}. Leave a message.
It's {first} and I'm out. You know what to do.
We're sorry, but the person you called is not available.
We're sorry, your call did not go through.
We're sorry, this number is not in service.
We're sorry, our offices have closed for the day.
We're closed today, but we'll be back tomorrow at eight.
We're away on holiday. Leave us a message.
We are unable to connect you at the moment.
We are having trouble with our telephone lines.
We value your call. The next free agent will be with you.
We're not open yet. Please call back after nine.
Good {morning}. {firm} is closed at the moment.
Good {morning}. {first} {last} is not at the desk. Please leave a message.
Good {morning}. You've reached {first} {last} at {firm}. I'm out of the office today.
Good {morning}. You've reached {firm}. To speak with reception, press zero.
Good {morning}. All our lines are busy. Please hold.
Good {morning}. Your call will be recorded. For new accounts, press one.
Good {morning}. This is the voicemail of {first} {last}. I'm in meetings all day.
Good {morning}. This is the answering service for {firm}.
Good {morning}, thank you for calling {firm}. For the front desk, press zero.
Good {morning}, thank you for calling {firm}. All our advisers are on the phone.
Good {morning}, thank you for calling {firm}. We're unable to answer.
Good {morning}, welcome to {firm}. This call is being recorded.
Good {morning}, welcome to {firm}. Please select from the following list.
Thank you for calling {firm}. You've reached our voicemail.
Thank you for calling {firm}. Our team is away from the phone.
Thank you for calling {firm}. We're here from Monday to Friday.
Thank you for calling {firm}. We're closed for the weekend.
Thank you for calling {firm}. We value your business. Please hold.
Thank you for calling {firm}. Please stay on the line for the next agent.
Thank you for calling {firm}. Please have your account number ready.
Thank you for calling {firm}. Please leave a message after the tone.
Thank you for calling {firm}. Please say what you'd like help with.
Thank you for calling {firm}. Please press one to leave a message.
Thank you for calling {firm}. Please enter your party's extension.
Thank you for calling {firm}. Press one for appointments, two for prescriptions.
Thank you for calling {firm}. Press star to hear this in French.
Thank you for calling {firm}. For customer service, press three.
Thank you for calling {firm}. For hours and location, press one.
Thank you for calling {firm}. For quality purposes, calls are monitored.
Thank you for calling {firm}. If you have an emergency, press nine.
Thank you for calling {firm}. If you wish to speak to {department}, press four.
Thank you for calling {firm}. To reach {department}, press five.
Thank you for calling {firm}. To hear these options again, press star.
Thank you for calling {firm}. To get started, tell me the reason for your call.
Thank you for calling {firm}. Your call has been placed in a queue.
Thank you for calling {firm}. You're caller number six.
Thank you for calling {firm}. You can also reach us on our website.
Thank you for calling {firm}. This call may be monitored.
Thank you for calling {firm}. The office is now closed.
Thank you for calling {firm}. There's nobody here right now.
Thank you for calling {firm}. I'm the automated assistant.
Thank you for calling {firm}. I'm either on a call or out on a job.
Thank you for calling {firm}. Sorry that we missed you.
Thank you for calling {firm}. Unfortunately, we can't come to the phone.
Thank you for calling {firm}. An adviser will be with you shortly.
Thank you for calling {firm}. Our next available agent will be with you in about two minutes.
Thank you for calling {firm}. Due to high demand, waiting times are long.
Thank you for calling {firm}. At the moment, nobody can take your call.
Thank you for calling {first} {last}. I'm not available.
Thank you for calling {first} {last}. Leave your name and number.
Thank you for calling {department} of {firm}. All our agents are busy.
Thank you for calling the {last} family. We can't come to the phone.
Thank you for holding. Your call is still in the queue.
Thank you for your patience. An agent will be with you soon.
Thank you for contacting {firm}. Please choose one of these options.
Thanks for calling {firm}. You've missed us. We open at nine.
Thanks for calling {firm}. Leave your name, and we'll ring you back.
Thanks for calling {firm}. Your call may be recorded.
Thanks for calling {firm}. Please hold for the next free person.
Thanks for calling {firm}. All our people are busy.
Thanks for calling. You've reached the voicemail of {first}.
`;

const greetings = (by: WrittenGreeting['by'], texts: string): WrittenGreeting[] =>
  texts
    .trim()
    .split('\n')
    .map((text) => ({ by, text }));

export const WRITTEN_GREETINGS: readonly WrittenGreeting[] = [
  ...greetings('person', PEOPLE),
  ...greetings('machine', MACHINES),
];

/** The same with names put in, those of number `n`; others for every other number. Pure. */
export function filledIn(text: string, n: number): string {
  let slot = 0;
  return text.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const names = SLOTS[name]!;
    return names[(n * 7 + slot++ * 5) % names.length]!;
  });
}
