/**
 * Settings of a network namespace.
 *
 * **Source:** `Documentation/networking/ip-sysctl.rst`, `Documentation/networking/ipvs-sysctl.rst`
 */

/** The settings of one network namespace, by their path below `/proc/sys/net`. */
export interface Sysctls {
  /**
   * The texts of settings, e.g. `1` of `ipv4/vs/conntrack`; without those that this kernel lacks.
   *
   * @throws NavstarError `KERNEL_READ_FAILED`
   */
  read(names: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** @throws NavstarError `KERNEL_OPERATION_FAILED` */
  write(name: string, value: string): Promise<void>
}
