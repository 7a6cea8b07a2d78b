/** What others can do to the objects of plane `ipvs`. */
import { run } from '../../src/demo/run.ts'
import type { Damage } from './damage.ts'

/** Every kind of damage. */
export const IPVS_DAMAGES: readonly Damage[] = [
  ...['-D -t 11.4.0.1:80', '-D -u 11.4.0.1:80', '-D -t [fd01:c::401]:80'].map((args) =>
    ipvsadm(`a service is deleted (${args})`, args),
  ),
  ipvsadm('a destination is deleted', '-d -t 11.4.0.1:80 -r 172.30.0.11:8080'),
  ipvsadm('a destination is added', '-a -t 11.4.0.1:80 -r 172.30.0.13:9 -m -w 1'),
  ipvsadm('a weight is changed', '-e -t 11.4.0.1:80 -r 172.30.0.11:8080 -m -w 7'),
  ipvsadm('a backend drains', '-e -t 11.4.0.1:80 -r 172.30.0.11:8080 -m -w 0'),
  ipvsadm('a destination of another kind is added', '-a -t 11.4.0.1:80 -r 172.30.0.13 -g -w 1'),
  ipvsadm('a limit is set', '-e -t 11.4.0.1:80 -r 172.30.0.11:8080 -m -w 1 -x 1'),
  ipvsadm('the scheduler is changed', '-E -t 11.4.0.1:80 -s lc -b flag-3'),
  ipvsadm('affinity is added', '-E -t 11.4.0.1:80 -s wrr -b flag-3 -p 60'),
  ipvsadm('a flag is added', '-E -t 11.4.0.1:80 -s wrr -b flag-1,flag-3'),
  ipvsadm('a service of our mark is added', '-A -t 11.4.9.9:80 -s rr -b flag-3'),
  ipvsadm('the timeouts are changed', '--set 60 60 60'),
  inHost(
    'the route to the IPv4 block is deleted',
    'ip -4 route delete local 11.0.0.0/8 table local',
  ),
  inHost(
    'the route to the IPv6 block is deleted',
    'ip -6 route delete local fd01:c::/64 table local',
  ),
  ...['conntrack', 'expire_nodest_conn', 'expire_quiescent_template', 'conn_reuse_mode'].map(
    (name) => inHost(`${name} is off`, `sysctl -qw net.ipv4.vs.${name}=0`),
  ),
]

function ipvsadm(what: string, args: string): Damage {
  return inHost(what, `ipvsadm ${args}`)
}

function inHost(what: string, command: string): Damage {
  const inflict = ({ places }: Parameters<Damage['inflict']>[0]) =>
    run('nsenter', [`--net=${places.namespacePath('host')}`, ...command.split(' ')])
  return { what, inflict }
}
