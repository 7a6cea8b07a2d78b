/** The engine's times and bounds. Milliseconds and counts; see `docs/gossip.md` for the reasons. */
export interface EngineSettings {
  /** Each node is pinged about this often, by its monitors together. */
  readonly probeIntervalMs: number
  /** Besides, a node drawn from all is pinged this often. */
  readonly randomProbeIntervalMs: number
  /** A round of probing waits at least, and at most, this long for an answer. */
  readonly minRoundMs: number
  readonly maxRoundMs: number
  /** How many relays each round asks. */
  readonly relayCount: number
  /** Evidence (minus the logarithm of the chance that a living node stayed silent) for a doubt. */
  readonly doubtEvidence: number
  /** But a node may stand still for so many rounds. */
  readonly minRounds: number
  /** A doubted node is declared dead after at least this long, times max(1, log10 of the nodes). */
  readonly minSuspicionMs: number
  /** Without confirmations it takes this many times as long. */
  readonly suspicionFactor: number
  /** So many accusers shorten the suspicion to its minimum; more are not spread. */
  readonly maxAccusers: number
  /** A tick that is this late means that this node itself stood still. */
  readonly stallMs: number
  /** Statements and deltas wait this long for company. */
  readonly flushMs: number
  /** The bytes that messages may fill in one datagram. */
  readonly datagramBytes: number
  /** The bytes of records in one part of a delta. */
  readonly partBytes: number
  /** From one round of anti-entropy to the next, if digests differ. */
  readonly syncIntervalMs: number
  /** One dead node is tried this often: the other side of a healed cut. */
  readonly reconnectIntervalMs: number
  /** Dead and departed nodes are forgotten after this long; deletions live as long. */
  readonly retentionMs: number
  /** A node that finds no other within this time stands alone. */
  readonly joinTimeoutMs: number
}

/** What holds where nobody says otherwise. */
export const ENGINE_DEFAULTS: EngineSettings = Object.freeze({
  probeIntervalMs: 150,
  randomProbeIntervalMs: 1000,
  minRoundMs: 100,
  maxRoundMs: 500,
  relayCount: 4,
  doubtEvidence: 23,
  minRounds: 3,
  minSuspicionMs: 5000,
  suspicionFactor: 6,
  maxAccusers: 4,
  stallMs: 100,
  flushMs: 10,
  datagramBytes: 1280,
  partBytes: 65_536,
  syncIntervalMs: 2500,
  reconnectIntervalMs: 2000,
  retentionMs: 86_400_000,
  joinTimeoutMs: 3000,
})
