package fetch

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"slipway/internal/agentapi"
)

// socketVariable tells the credential helper, through git's environment, where
// to ask. The directory of the socket is open to this user alone and gone
// before user code runs.
const socketVariable = "SLIPWAY_CREDENTIAL_SOCKET"

// How much a question of git may hold, and how long it may take.
const (
	maxQuestion = 64 << 10
	answerTime  = 10 * time.Second
)

// A login is what git may send to one address.
type login struct{ username, password string }

// An address is one repository as git's credential protocol names it. Equal
// ones are equal values.
type address struct{ scheme, host, path string }

// addressOf reads an address; ok is false if it is none that a login can be
// for. The paths that Git LFS asks for belong to the repository's address.
func addressOf(scheme, host, path string) (a address, ok bool) {
	scheme = strings.ToLower(scheme)
	if scheme != "https" && scheme != "http" || host == "" || strings.ContainsFunc(host+path, unicode.IsControl) {
		return address{}, false
	}
	path = strings.Trim(path, "/")
	path = strings.TrimSuffix(path, "/info/lfs")
	path = strings.TrimSuffix(path, ".git")
	return address{scheme, endpoint(scheme, host), path}, path != ""
}

// endpoint writes host[:port] so that equal ones are equal strings.
func endpoint(scheme, host string) string {
	host = strings.ToLower(host)
	standard := map[string]string{"http": ":80", "https": ":443"}[strings.ToLower(scheme)]
	if standard != "" {
		host = strings.TrimSuffix(host, standard)
	}
	return host
}

// A wallet holds the logins of one fetch, each for the one address that it was
// given for. Its methods may be called from several goroutines.
type wallet struct {
	mu     sync.Mutex // guards all below
	logins map[address]login
	known  []string // the texts that no message may hold
}

// add takes the login to what is at where. One that belongs to another host is
// not taken, so that it is sent nowhere, and what belongs to https is never
// sent over http.
func (w *wallet) add(where *url.URL, c *agentapi.Credential) (problem string) {
	password := c.Password.Reveal()
	if password == "" {
		return ""
	}
	l := login{cmp.Or(c.Username, "x-access-token"), password} // any name will do where the provider asks for none
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = append(w.known, password, base64.StdEncoding.EncodeToString([]byte(l.username+":"+password)))
	if _, token, temporary := strings.Cut(l.username, "%"); temporary { // of AWS
		w.known = append(w.known, token)
	}
	if strings.ContainsAny(c.Username+password, "\r\n\x00") {
		return "The imported token has a line break in it, which no token has: import it again without."
	}
	a, ok := addressOf(where.Scheme, where.Host, where.Path)
	if !ok || !sentTo(where, c) {
		return ""
	}
	if w.logins == nil {
		w.logins = map[address]login{}
	}
	w.logins[a] = l
	return ""
}

// sentTo reports whether a credential is one, and belongs to where's host.
func sentTo(where *url.URL, c *agentapi.Credential) bool {
	return !c.Password.IsZero() && endpoint(where.Scheme, c.Host) == endpoint(where.Scheme, where.Host)
}

// secrets returns the texts that no message may hold.
func (w *wallet) secrets() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.known)
}

// answer answers one question of git in git's credential protocol: with the
// login to the address that it is about, and else with nothing.
func (w *wallet) answer(question []byte) []byte {
	a, ok := asked(question)
	if !ok {
		return nil
	}
	w.mu.Lock()
	l, ok := w.logins[a]
	w.mu.Unlock()
	if !ok {
		return nil
	}
	return []byte("username=" + l.username + "\npassword=" + l.password + "\n")
}

// asked returns the address that a question is about. A question that says
// something twice is not git's: a URL with a line break in it may have made it.
func asked(question []byte) (a address, ok bool) {
	said := map[string]string{}
	for line := range bytes.Lines(question) {
		name, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), "=")
		if _, twice := said[name]; twice && !strings.HasSuffix(name, "[]") { // lists are said to have several lines
			return address{}, false
		}
		said[name] = value
	}
	return addressOf(said["protocol"], said["host"], said["path"])
}

// to returns the login to what is at where, nil if there is none.
func (w *wallet) to(where *url.URL) *login {
	a, ok := addressOf(where.Scheme, where.Host, where.Path)
	w.mu.Lock()
	defer w.mu.Unlock()
	if l, there := w.logins[a]; ok && there {
		return &l
	}
	return nil
}

// serve answers at a new socket until the Closer is closed, which also waits
// for the answers in flight and removes the socket.
func (w *wallet) serve(socket string) (io.Closer, error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	d := &door{listener: listener}
	d.wg.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			d.wg.Go(func() { w.talk(c) })
		}
	})
	return d, nil
}

// talk answers one connection. Whoever asks wrongly gets nothing.
func (w *wallet) talk(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(answerTime))
	question, err := io.ReadAll(io.LimitReader(c, maxQuestion))
	if err != nil {
		return
	}
	_, _ = c.Write(w.answer(question))
}

// A door is a socket at which logins are given.
type door struct {
	listener net.Listener
	wg       sync.WaitGroup
}

func (d *door) Close() error {
	err := d.listener.Close()
	d.wg.Wait()
	return err
}

// CredentialHelper is what git starts to learn a login: it carries git's
// question from stdin to the fetch that started git, and the answer to stdout.
// args ends with git's verb; only "get" is answered. It returns the exit
// status, which is 0 also without an answer: git then goes on without.
func CredentialHelper(args []string, stdin io.Reader, stdout io.Writer) int {
	if len(args) == 0 || args[len(args)-1] != "get" {
		return 0 // nothing is stored, so nothing is erased
	}
	socket := os.Getenv(socketVariable)
	if socket == "" {
		return 1
	}
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return 1
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(answerTime))
	if _, err := io.Copy(c, io.LimitReader(stdin, maxQuestion)); err != nil {
		return 1
	}
	if err := c.CloseWrite(); err != nil {
		return 1
	}
	if _, err := io.Copy(stdout, c); err != nil {
		return 1
	}
	return 0
}
