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
