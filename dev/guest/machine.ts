/** What a guest's command line is made of. */
export interface Machine {
  readonly runDirectory: string
  readonly initramfs: string
  readonly memoryMib: number
}
