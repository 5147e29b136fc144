package fetch

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

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

// A login is what git may send to one host. The zero login is sent nowhere.
type login struct {
	scheme, host       string // as endpoint writes it
	username, password string
}

// newLogin binds a credential to its host and to the scheme of the source's
// URL, so that what belongs to https is never sent over http.
func newLogin(where *url.URL, c *agentapi.Credential) (l login, problem string) {
	password := c.Password.Reveal()
	if password == "" {
		return login{}, ""
	}
	if strings.ContainsAny(c.Username+password, "\r\n\x00") {
		return login{}, "The imported token has a line break in it, which no token has: import it again without."
	}
	return login{
		scheme:   strings.ToLower(where.Scheme),
		host:     endpoint(where.Scheme, c.Host),
		username: cmp.Or(c.Username, "x-access-token"), // any name will do where the provider asks for none
		password: password,
	}, ""
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

// answer answers one question of git in git's credential protocol: with the
// login if it is about the login's host, and else with nothing.
func (l login) answer(question []byte) []byte {
	asked := map[string]string{}
	for line := range bytes.Lines(question) {
		name, value, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), "=")
		if ok {
			asked[name] = value
		}
	}
	scheme := strings.ToLower(asked["protocol"])
	if l.password == "" || scheme != l.scheme || endpoint(scheme, asked["host"]) != l.host {
		return nil
	}
	return []byte("username=" + l.username + "\npassword=" + l.password + "\n")
}

// serve answers at a new socket until the Closer is closed, which also waits
// for the answers in flight and removes the socket.
func (l login) serve(socket string) (io.Closer, error) {
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
			d.wg.Go(func() { l.talk(c) })
		}
	})
	return d, nil
}

// talk answers one connection. Whoever asks wrongly gets nothing.
func (l login) talk(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(answerTime))
	question, err := io.ReadAll(io.LimitReader(c, maxQuestion))
	if err != nil {
		return
	}
	_, _ = c.Write(l.answer(question))
}

// A door is a socket at which a login is given.
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
