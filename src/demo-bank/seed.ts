/** What the demo bank knows when it starts. Dates are days before (-) or after (+) the bank's today, so they never go stale. */

export type CardKind = 'credit' | 'debit';
export type CardStatus = 'active' | 'in-production' | 'shipped' | 'blocked';

export interface SeedCard {
  id: string;
  kind: CardKind;
  /** Test numbers (not issued to anybody); they never leave the bank: the API shows the last four digits. */
  number: string;
  status: CardStatus;
  orderedDay: number;
  shippedDay?: number;
  expectedDay?: number;
  deliveredDay?: number;
  carrier?: string;
  trackingNumber?: string;
}

export interface SeedAccount {
  id: string;
  kind: 'current' | 'savings';
  balance: string;
}

export interface SeedTransaction {
  id: string;
  account: 'current' | 'savings';
  day: number;
  direction: 'debit' | 'credit';
  amount: string;
  counterparty: string;
}

export interface SeedCustomer {
  number: string;
  pin: string;
  name: string;
  phone: string;
  cards: readonly SeedCard[];
  accounts: readonly SeedAccount[];
  transactions: readonly SeedTransaction[];
}

type Line = [day: number, direction: 'debit' | 'credit', amount: string, counterparty: string];

/** Newest first, as the API lists them. */
function lines(customer: string, account: 'current' | 'savings', rows: readonly Line[]): SeedTransaction[] {
  return rows.map(([day, direction, amount, counterparty], index) => ({
    id: `tx-${customer}-${account}-${index + 1}`,
    account,
    day,
    direction,
    amount,
    counterparty,
  }));
}

export const seedCustomers: readonly SeedCustomer[] = [
  {
    number: '471920',
    pin: '2580',
    name: 'Alex Morgan',
    phone: '+15550100',
    cards: [
      {
        id: 'card-471920-1',
        kind: 'credit',
        number: '4000002760003184',
        status: 'shipped',
        orderedDay: -6,
        shippedDay: -1,
        expectedDay: 2,
        carrier: 'Parcel Express',
        trackingNumber: '12345',
      },
    ],
    accounts: [
      { id: 'acc-471920-1', kind: 'current', balance: '1204.50' },
      { id: 'acc-471920-2', kind: 'savings', balance: '8310.00' },
    ],
    transactions: [
      ...lines('471920', 'current', [
        [-1, 'debit', '54.20', 'Green Market'],
        [-2, 'debit', '12.80', 'City Transport'],
        [-3, 'credit', '2450.00', 'Northwind Salary'],
        [-5, 'debit', '780.00', 'Riverside Rent'],
        [-8, 'debit', '39.99', 'Blue Mobile'],
        [-11, 'debit', '23.15', 'Corner Books'],
      ]),
      ...lines('471920', 'savings', [[-3, 'credit', '300.00', 'Monthly Saving']]),
    ],
  },
  {
    number: '830465',
    pin: '1397',
    name: 'Jordan Lee',
    phone: '+15550142',
    cards: [
      {
        id: 'card-830465-1',
        kind: 'debit',
        number: '4000056655665556',
        status: 'in-production',
        orderedDay: -2,
        expectedDay: 5,
      },
    ],
    accounts: [{ id: 'acc-830465-1', kind: 'current', balance: '310.75' }],
    transactions: lines('830465', 'current', [
      [-1, 'debit', '8.40', 'Harbor Coffee'],
      [-4, 'debit', '61.00', 'Power Company'],
      [-4, 'credit', '150.00', 'Sam Rivera'],
      [-9, 'debit', '27.35', 'Green Market'],
    ]),
  },
  {
    number: '205118',
    pin: '6042',
    name: 'Robin Clarke',
    phone: '+15550163',
    cards: [
      {
        id: 'card-205118-1',
        kind: 'debit',
        number: '5200828282828210',
        status: 'blocked',
        orderedDay: -400,
        shippedDay: -396,
        deliveredDay: -394,
        carrier: 'Parcel Express',
        trackingNumber: '67890',
      },
    ],
    accounts: [
      { id: 'acc-205118-1', kind: 'current', balance: '97.03' },
      { id: 'acc-205118-2', kind: 'savings', balance: '1500.00' },
    ],
    transactions: lines('205118', 'current', [
      [-2, 'debit', '15.00', 'Music Stream'],
      [-6, 'debit', '120.00', 'Cash Machine'],
      [-12, 'credit', '900.00', 'Weston Salary'],
    ]),
  },
  {
    // Two cards, so that a request which does not say which one has to be asked about.
    number: '318274',
    pin: '7719',
    name: 'Sam Rivera',
    phone: '+15550187',
    cards: [
      {
        id: 'card-318274-1',
        kind: 'credit',
        number: '4111111111111111',
        status: 'active',
        orderedDay: -90,
        shippedDay: -85,
        deliveredDay: -82,
        carrier: 'Parcel Express',
        trackingNumber: '24680',
      },
      {
        id: 'card-318274-2',
        kind: 'debit',
        number: '5555555555554444',
        status: 'active',
        orderedDay: -20,
        shippedDay: -15,
        deliveredDay: -12,
        carrier: 'Parcel Express',
        trackingNumber: '13579',
      },
    ],
    accounts: [
      { id: 'acc-318274-1', kind: 'current', balance: '2048.16' },
      { id: 'acc-318274-2', kind: 'savings', balance: '12000.00' },
    ],
    transactions: lines('318274', 'current', [
      [-1, 'debit', '19.90', 'Corner Books'],
      [-1, 'debit', '150.00', 'Jordan Lee'],
      [-3, 'debit', '64.75', 'Green Market'],
      [-7, 'credit', '3100.00', 'Harbor Works Salary'],
    ]),
  },
];
