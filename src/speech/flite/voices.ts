export type FliteVoice = 'slt' | 'rms' | 'awb' | 'kal16' | 'kal';

export interface VoiceFacts {
  /** flite's name of it. */
  name: string;
  /** Brings speech to about -18 dBFS while the voice sounds, the level telephone networks are laid out for. */
  gain: number;
}

export const VOICES: Record<FliteVoice, VoiceFacts> = {
  slt: { name: 'slt', gain: 0.65 },
  rms: { name: 'rms', gain: 1.28 },
  awb: { name: 'awb', gain: 1.15 },
  kal16: { name: 'kal16', gain: 2.4 },
  kal: { name: 'kal', gain: 1.05 },
};

export function isFliteVoice(name: string): name is FliteVoice {
  return Object.hasOwn(VOICES, name);
}
