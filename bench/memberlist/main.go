// A node of hashicorp/memberlist with the LAN profile, the baseline of `npm run bench -- gossip`.
//
//	navstar-memberlist NAME ADDRESS SEED-ADDRESS
//
// It follows the words on its standard input (`start`, `publish VALUE`, `state`) until that ends,
// and prints one JSON line per event, in the format of bench/gossip/program-event.ts, with the time of
// CLOCK_MONOTONIC, which is one for all processes of a machine.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/hashicorp/memberlist"
)

const clockMonotonic = 1

// joinEvery is how long a node waits until it asks the seed again: some must come after the seed.
const joinEvery = 500 * time.Millisecond

func nowMs() float64 {
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	return float64(now.Sec)*1e3 + float64(now.Nsec)/1e6
}

var printing sync.Mutex

func say(event map[string]any) {
	if _, isTimed := event["atMs"]; !isTimed {
		event["atMs"] = nowMs()
	}
	line, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	printing.Lock()
	defer printing.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

// watcher turns what memberlist reports into lines.
type watcher struct{}

func (watcher) NotifyJoin(node *memberlist.Node) {
	sayMember(node, "alive")
	sayChange(node)
}

func (watcher) NotifyLeave(node *memberlist.Node) { sayMember(node, "dead") }

func (watcher) NotifyUpdate(node *memberlist.Node) { sayChange(node) }

func sayChange(node *memberlist.Node) {
	say(map[string]any{"kind": "change", "name": node.Name, "value": string(node.Meta)})
}

func sayMember(node *memberlist.Node, state string) {
	say(map[string]any{"kind": "member", "name": node.Name, "state": state})
}

var suspicion = regexp.MustCompile(`Suspect (\S+) has failed`)

// logReader finds the suspicions of this node in what memberlist logs: no event tells them.
type logReader struct{}

func (logReader) Write(line []byte) (int, error) {
	if match := suspicion.FindSubmatch(line); match != nil {
		say(map[string]any{"kind": "suspicion", "name": string(match[1])})
	} else if bytes.Contains(line, []byte("Refuting a ")) {
		say(map[string]any{"kind": "refuted"})
	}
	return len(line), nil
}

// published is what this node tells the others: its meta data, of at most 512 bytes.
type published struct {
	lock sync.Mutex
	meta []byte
}

func (p *published) set(value string) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.meta = []byte(value)
}

func (p *published) NodeMeta(int) []byte {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.meta
}

func (*published) NotifyMsg([]byte) {}

func (*published) GetBroadcasts(int, int) [][]byte { return nil }

func (*published) LocalState(bool) []byte { return nil }

func (*published) MergeRemoteState([]byte, bool) {}

func start(name, address string, own *published) (*memberlist.Memberlist, error) {
	config := memberlist.DefaultLANConfig()
	config.Name = name
	config.BindAddr = address
	config.Events = watcher{}
	config.Delegate = own
	config.LogOutput = logReader{}
	// Sealed with AES-256-GCM, as navstar's packets are.
	config.SecretKey = bytes.Repeat([]byte{7}, 32)
	return memberlist.Create(config)
}

func join(list *memberlist.Memberlist, seed string) {
	for {
		if _, err := list.Join([]string{seed}); err == nil {
			return
		}
		time.Sleep(joinEvery)
	}
}

func sayState(list *memberlist.Memberlist) {
	picture := []string{}
	for _, node := range list.Members() {
		picture = append(picture, fmt.Sprintf("%s %s", node.Name, node.Meta))
	}
	say(map[string]any{"kind": "state", "picture": picture})
}

func run() error {
	if len(os.Args) != 4 {
		return fmt.Errorf("usage: navstar-memberlist NAME ADDRESS SEED-ADDRESS")
	}
	name, address, seed := os.Args[1], os.Args[2], os.Args[3]
	own := &published{meta: []byte("0")}
	var list *memberlist.Memberlist
	say(map[string]any{"kind": "ready"})
	words := bufio.NewScanner(os.Stdin)
	for words.Scan() {
		word, value, _ := strings.Cut(words.Text(), " ")
		switch word {
		case "start":
			var err error
			if list, err = start(name, address, own); err != nil {
				return err
			}
			say(map[string]any{"kind": "started", "name": name})
			if seed != address {
				go join(list, seed)
			}
		case "publish":
			own.set(value)
			say(map[string]any{"kind": "published", "value": value})
			go list.UpdateNode(0) // returns once somebody was sent it
		case "state":
			sayState(list)
		default:
			return fmt.Errorf("unknown word %q", word)
		}
	}
	return words.Err()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
