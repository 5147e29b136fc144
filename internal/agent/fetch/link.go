package fetch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// A provider is that of one source, to be asked in version 2 of git's protocol:
// each request stands for itself, so that one is enough, and nothing is sent to
// hear that a login is needed or what the provider can do.
type provider struct {
	client *http.Client
	where  url.URL
	login  *login          // nil if there is none
	format string          // of the repository's ids, as far as that is known
	ctx    context.Context // of its requests
	cancel context.CancelFunc
	early  *early
}

// newProvider returns that of the checkout's source, which is to be closed. What a
// clone asks first is known: that is asked now, before git has started.
func (c *checkout) newProvider(ctx context.Context) *provider {
	p := &provider{client: client(c.source, c.desk.given(c.where), c.desk.trusted), where: *c.where, login: c.desk.wallet.to(c.where), format: "sha1"}
	if len(c.want.commit) == 64 {
		p.format = "sha256"
	}
	p.where.Path, p.where.RawPath, p.where.RawQuery = strings.TrimSuffix(c.where.Path, "/")+"/git-upload-pack", "", ""
	p.ctx, p.cancel = context.WithCancel(ctx)
	if c.clones() && !otherProxy() {
		p.early = &early{request: lsRefs(p.format, c.firstRefs()), answer: make(chan answer, 1)}
		go func(e *early) { e.answer <- p.ask(p.ctx, e.request) }(p.early)
	}
	return p
}

func (p *provider) close() {
	p.cancel()
	if p.early != nil {
		a := <-p.early.answer
		a.close()
	}
	p.client.CloseIdleConnections()
}

// clones reports whether it begins with a clone.
func (c *checkout) clones() bool {
	switch v := c.want; {
	case v.commit != "":
		return v.ref == "" && v.name == "" && c.source.Depth == 0
	case v.ref != "":
		return c.clonesRef()
	}
	return true
}

// firstRefs are the beginnings of the refs that a clone asks for.
func (c *checkout) firstRefs() []string {
	all := []string{"HEAD", "refs/heads/", "refs/tags/"}
	if n := c.want.name; n != "" { // as git resolves names (gitrevisions)
		all = append(all, n, "refs/"+n, "refs/tags/"+n, "refs/heads/"+n, "refs/remotes/"+n, "refs/remotes/"+n+"/HEAD")
	}
	return all
}

// A link is the way of one git to the provider that is ours and not libcurl's.
// git sees an open connection (git-remote-fd); the link sends each of its requests
// as HTTP, with the login, which git never holds.
type link struct {
	*provider
	ctx    context.Context // lasts as long as git
	cancel context.CancelFunc
	ours   *os.File // end of a socket
	gits   *os.File
	served sync.WaitGroup
}

// linkURL is a link as git sees it: a socket, of which it tells the other side
// that it has no more requests although git itself has it open, too.
const linkURL = "fd::3"

// Bounds of what goes through a link.
const (
	maxRequest = 64 << 20         // bytes; what git has is in it
	linkSilent = 60 * time.Second // without a byte of the provider's
)

// errNoLink means that a provider does not answer in version 2 of git's
// protocol, or not at all: git has its own ways and words for that.
var errNoLink = errors.New("the provider does not answer as a git server of version 2 does")

// link opens a link, which serves until it is closed.
func (p *provider) link() (*link, error) {
	l := &link{provider: p}
	var err error
	if l.ours, l.gits, err = socketPair(); err != nil {
		return nil, err
	}
	l.ctx, l.cancel = context.WithCancel(p.ctx)
	l.served.Go(func() {
		_ = l.serve() // git says that it was cut off
		_ = l.ours.Close()
	})
	return l, nil
}

// close ends the link of a git that has ended.
func (l *link) close() {
	l.cancel()
	_ = l.gits.Close()
	l.served.Wait()
}

// serve answers git's requests until git has no more.
func (l *link) serve() error {
	// What a server says of itself (gitprotocol-v2): what every server of this
	// version can do, and no more. One that cannot is found out by its answer.
	hello := packetLines("version 2", "ls-refs", "fetch=shallow", "object-format="+l.format)
	if _, err := io.WriteString(l.ours, hello+"0000"); err != nil {
		return err
	}
	in := bufio.NewReaderSize(l.ours, maxPacket)
	for {
		request, err := readRequest(in)
		if err != nil || request == nil {
			return err
		}
		a, err := l.answer(request)
		if err == nil {
			err = l.pass(a)
		}
		if err != nil {
			return err
		}
	}
}

// answer returns the provider's answer to a request, which is to be passed on.
func (l *link) answer(request []byte) (answer, error) {
	if !l.early.answers(request) {
		return l.ask(l.ctx, request), nil
	}
	select {
	case a := <-l.early.answer:
		l.early = nil
		return a, nil
	case <-l.ctx.Done():
		return answer{}, l.ctx.Err()
	}
}

// An early is a question that was asked before git did.
type early struct {
	request []byte
	answer  chan answer // has it in the end
}

// lsRefs is the question for the refs that begin with one of prefixes.
func lsRefs(format string, prefixes []string) []byte {
	lines := []string{"peel", "symrefs"}
	for _, p := range prefixes {
		lines = append(lines, "ref-prefix "+p)
	}
	return []byte(packetLines("command=ls-refs", "object-format="+format) + "0001" + packetLines(lines...) + "0000")
}

// answers reports whether the answer is one to request, too: whoever asks for
// refs leaves out what it did not ask for.
func (e *early) answers(request []byte) bool {
	if e == nil {
		return false
	}
	asked := map[string]bool{}
	for _, line := range linesOf(e.request) {
		asked[line] = true
	}
	lines := linesOf(request)
	limited := false
	for _, line := range lines {
		if !asked[line] {
			return false
		}
		limited = limited || strings.HasPrefix(line, "ref-prefix ")
	}
	return limited && lines[0] == "command=ls-refs"
}

// An answer is one of the provider's.
type answer struct {
	*http.Response             // nil if there is an error
	silence        *time.Timer // ends it when the provider has said nothing for too long
	cancel         context.CancelFunc
	err            error
}

func (a answer) close() {
	a.silence.Stop()
	a.cancel()
	if a.Response != nil {
		_ = a.Body.Close()
	}
}

// ask sends a request to the provider. The answer is to be closed.
func (p *provider) ask(ctx context.Context, request []byte) (a answer) {
	ctx, a.cancel = context.WithCancel(ctx)
	a.silence = time.AfterFunc(linkSilent, a.cancel)
	defer a.silence.Stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.where.String(), bytes.NewReader(request))
	if err != nil {
		a.err = err
		return a
	}
	const answerType = "application/x-git-upload-pack-result"
	r.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	r.Header.Set("Accept", answerType)
	r.Header.Set("Git-Protocol", "version=2")
	r.Header.Set("User-Agent", userAgent)
	if p.login != nil {
		r.SetBasicAuth(p.login.username, p.login.password)
	}
	if a.Response, a.err = p.client.Do(r); a.err == nil && (a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != answerType) {
		a.err = errNoLink
	}
	return a
}

// pass passes an answer on to git, and closes it.
func (l *link) pass(a answer) error {
	defer a.close()
	if a.err != nil {
		return a.err
	}
	defer context.AfterFunc(l.ctx, a.cancel)()
	buffer := make([]byte, maxPacket)
	var whole packets
	for {
		a.silence.Reset(linkSilent)
		n, err := a.Body.Read(buffer)
		a.silence.Stop() // git may take its time
		whole.pass(buffer[:n])
		if _, err := l.ours.Write(buffer[:n]); err != nil {
			return err
		}
		if err == io.EOF && whole.ended { //nolint:errorlint // a reader's own
			return nil
		}
		if err != nil { // git would wait for the rest
			return err
		}
	}
}

// otherProxy reports whether there is a way to the provider that only libcurl
// knows.
func otherProxy() bool { return os.Getenv("all_proxy") != "" || os.Getenv("ALL_PROXY") != "" }

// linked is network for a git in the source's directory that connects once, to
// the source's own address, as clones do, and fetches that do not follow tags:
// over a link if that works.
func (c *checkout) linked(ctx context.Context, args ...string) error {
	if otherProxy() {
		return c.network(ctx, c.source.Dir, args...)
	}
	l, err := c.provider.link()
	if err != nil {
		return err
	}
	over := c.git
	over.files = []*os.File{l.gits}
	over.env = c.environment(setting{"url." + linkURL + ".insteadOf", c.source.URL}, setting{"protocol.fd.allow", "always"})
	_, err = over.run(ctx, c.source.Dir, args...)
	l.close()
	switch {
	case err == nil, ctx.Err() != nil, isRefused(err), said(err, "not found in upstream"), kindOf(err) == noSpace:
		return err
	}
	return c.network(ctx, c.source.Dir, args...)
}
