package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/agentapi"
	"slipway/internal/blob"
	"slipway/internal/registrar"
	"slipway/internal/runner/docker"
	"slipway/internal/source"
)

// serveOptions is the command line of serve, checked.
type serveOptions struct {
	data      dataFolder
	listen    string // host:port
	account   string // twelve digits
	region    string // the region of commands that name none
	key       string // URI of the key that seals secrets; empty means key.json in the data folder
	cacheGB   int    // gigabytes that LOCAL_SOURCE_CACHE may take; 0 turns it off
	bucketURL string // where buckets are, with {bucket} for the name; empty means in the data folder
	maxBuilds int    // builds at a time; 0 means one for each processor
	runner    string // auto, local, docker or none
	images    docker.Images
	network   string // of containers; empty means Docker's default
	drain     time.Duration
	sandbox   string   // auto, bubblewrap or none
	readOnly  []string // host paths that user code may read besides the usual ones
	endpoints source.Endpoints
	publicURL string        // where providers reach the server, without a trailing slash; empty means that they cannot
	poll      bool          // compare refs
	pollEvery time.Duration // 0 means a minute
	keep      time.Duration // how long deliveries are kept
	secrets   []string      // where parameters and secrets of builds are looked for, in order: embedded, aws
	acceptAny bool
	checks    string    // of source credentials: auto, strict or off
	agent     []string  // the agent's command line; empty means slipway-agent beside us, or ourselves
	out       io.Writer // what a person reads at start
	log       *slog.Logger
}

func serveCommand() *cobra.Command {
	var o serveOptions
	var data, endpoints, publicURL, level, imageFile string
	var images []string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: API, scheduler and runners",
		Long: `Run the server: CodeBuild's API, the scheduler and the runners, on an embedded
database in the data folder. The first start makes the folder, the key that seals
secrets and an access key for the owner, which 'slipway env' prints.

The server stops on SIGTERM or Ctrl-C: it starts no more builds, waits up to --drain
for those that run, and leaves the rest to the next start, which takes them up again.
An agent whose server does not come back within a minute ends its build.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.data, err = absolute(data); err != nil {
				return err
			}
			if o.endpoints, err = source.ParseEndpoints(endpoints); err != nil {
				return usagef("--source-endpoint: %w", err)
			}
			var l slog.Level
			if err := l.UnmarshalText([]byte(level)); err != nil {
				return usagef("--log-level: %w", err)
			}
			if o.images, err = readImages(imageFile, images); err != nil {
				return err
			}
			if o.publicURL, err = registrar.ParsePublicURL(publicURL); err != nil {
				return usagef("--public-url: %w", err)
			}
			if err := blob.CheckURL(o.bucketURL); err != nil {
				return usagef("--bucket-url: %w", err)
			}
			if err := o.check(); err != nil {
				return err
			}
			o.out = cmd.OutOrStdout()
			o.log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: l}))
			letHeapGrow()
			s, err := start(cmd.Context(), o)
			if err != nil {
				return err
			}
			s.announce(o.out)
			return s.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", defaultData(), "the data folder")
	f.StringVar(&o.listen, "listen", "127.0.0.1:4680", "address to listen on")
	f.StringVar(&o.account, "account", "000000000000", "the AWS account number in ARNs, twelve digits")
	f.StringVar(&o.region, "region", "us-east-1", "the region that 'slipway env' prints; a request is for the region its signature names")
	f.StringVar(&o.key, "key", "", "URI of the key that seals secrets, such as file:///etc/slipway/key.json (default key.json in the data folder)")
	f.IntVar(&o.cacheGB, "source-cache-limit", 10, "gigabytes of the data folder that the source caches of projects with LOCAL_SOURCE_CACHE may take, those used longest ago go first; 0 turns it off")
	f.StringVar(&o.bucketURL, "bucket-url", "", "where buckets of artifacts, caches and sources are, such as 's3://{bucket}?region=eu-central-1' (default: a folder for each in the data folder)")
	f.IntVar(&o.maxBuilds, "max-builds", 0, "builds that run at a time; 0 means one for each processor")
	f.StringVar(&o.runner, "runner", autoRunner, "auto: docker for builds with an image if an engine answers, local for all others; local: on this machine; docker: in containers; none: builds are accepted and wait")
	f.StringArrayVar(&images, "docker-image", nil, "NAME=IMAGE: the image that stands for the one a project names; NAME may end in *, and * alone means all of CodeBuild's own (repeatable)")
	f.StringVar(&imageFile, "docker-images", "", "file of such mappings, one a line, # begins a comment; --docker-image beats it")
	f.StringVar(&o.network, "docker-network", "", "network of the containers, such as host (default that of the engine)")
	f.DurationVar(&o.drain, "drain", 10*time.Second, "how long to wait for running builds when stopping")
	f.StringVar(&o.sandbox, "sandbox", "auto", "auto: bubblewrap if it works here; bubblewrap: do not start without it; none: user code runs unprotected")
	f.StringSliceVar(&o.readOnly, "sandbox-read-only", nil, "host path that user code may read besides the system's, such as /home/me/.nvm (repeatable)")
	f.StringVar(&endpoints, "source-endpoint", "", "send a provider's API and git traffic elsewhere: GITHUB=URL,BITBUCKET=URL,…")
	f.StringVar(&o.checks, "credential-check", "auto", "auto: check source credentials after an import and daily; strict: also refuse to import a token that its provider refuses; off: only on demand")
	f.StringVar(&publicURL, "public-url", "", "where source providers and browsers reach this server, through a proxy if there is one, such as https://ci.example.com")
	f.BoolVar(&o.poll, "poll", false, "compare the refs of repositories every minute: instead of webhooks if there is no --public-url, beside them otherwise, for pushes too large for providers to tell of")
	f.DurationVar(&o.keep, "keep-deliveries", 14*24*time.Hour, "how long webhook deliveries are kept to be explained")
	f.DurationVar(&o.pollEvery, "poll-interval", 0, "how often --poll compares; 0 means a minute")
	if err := f.MarkHidden("poll-interval"); err != nil { // it is for tests: providers limit calls
		panic(err)
	}
	f.StringSliceVar(&o.secrets, "secrets", []string{"embedded"}, "where builds' PARAMETER_STORE and SECRETS_MANAGER variables are looked for, in this order: embedded: here, where 'slipway secret put' and AWS clients keep them; aws: at AWS, as whoever this process is there")
	f.BoolVar(&o.acceptAny, "accept-any-credentials", false, "do not check signatures: for test benches, on a loopback address only")
	f.StringVar(&level, "log-level", "info", "debug, info, warn or error")
	return cmd
}

func absolute(dir string) (dataFolder, error) {
	path, err := filepath.Abs(dir)
	return dataFolder(path), err
}

// letHeapGrow has garbage collected less often than is Go's way. What a server
// holds on to is a few megabytes, so that under load it would collect a hundred
// times a second. GOGC and GOMEMLIMIT in the environment win.
func letHeapGrow() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(512 << 20) // where four times as much is too much
	}
}

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

// check refuses what cannot work or is not safe.
func (o serveOptions) check() error {
	if !accountPattern.MatchString(o.account) {
		return usagef("--account %q: an AWS account number has twelve digits", o.account)
	}
	if !regionPattern.MatchString(o.region) {
		return usagef("--region %q: expected a name such as us-east-1", o.region)
	}
	if o.cacheGB < 0 {
		return usagef("--source-cache-limit %d: expected 0 or more gigabytes", o.cacheGB)
	}
	if o.maxBuilds < 0 {
		return usagef("--max-builds %d: expected 0 or more", o.maxBuilds)
	}
	if o.pollEvery < 0 {
		return usagef("--poll-interval %v: expected 0 or more", o.pollEvery)
	}
	if o.keep < time.Hour {
		return usagef("--keep-deliveries %s: expected an hour or more, since what comes twice is known by what is kept", o.keep)
	}
	switch o.runner {
	case autoRunner, localRunner, dockerRunner:
	case noRunner:
		if o.images.Len() > 0 {
			return usagef("--docker-image is of no use with --runner none")
		}
	default:
		return usagef("--runner %q: expected auto, local, docker or none", o.runner)
	}
	if o.runner == localRunner && o.images.Len() > 0 {
		return usagef("--docker-image is of no use with --runner local: choose docker or auto")
	}
	switch o.sandbox {
	case "auto", "bubblewrap", "none":
	default:
		return usagef("--sandbox %q: expected auto, bubblewrap or none", o.sandbox)
	}
	switch o.checks {
	case "auto", "strict", "off":
	default:
		return usagef("--credential-check %q: expected auto, strict or off", o.checks)
	}
	if err := o.checkSecrets(); err != nil {
		return err
	}
	for _, p := range o.readOnly {
		if _, err := os.Stat(p); err != nil || !filepath.IsAbs(p) {
			return usagef("--sandbox-read-only %q: expected the absolute path of something that exists", p)
		}
	}
	if u, err := url.Parse(o.publicURL); err != nil || strings.HasPrefix(u.Path+"/", "/console/") {
		return usagef("--public-url: its path cannot be /console, where the console itself is; choose another one")
	}
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return usagef("--listen %q: expected host:port, such as 127.0.0.1:4680", o.listen)
	}
	if o.acceptAny && !loopback(host) {
		return usagef("--accept-any-credentials leaves the server open to whoever reaches it: it works with a loopback address such as 127.0.0.1 only, not %q", o.listen)
	}
	return nil
}

func (o serveOptions) checkSecrets() error {
	for i, place := range o.secrets {
		if place != "embedded" && place != "aws" || slices.Contains(o.secrets[:i], place) {
			return usagef("--secrets %q: expected embedded, aws, or both in the order in which to ask", strings.Join(o.secrets, ","))
		}
	}
	if len(o.secrets) == 0 {
		return usagef("--secrets is empty: expected embedded, aws, or both in the order in which to ask")
	}
	return nil
}

// mirrors is where builds on this machine keep what they fetched of repositories.
func (o serveOptions) mirrors() agentapi.Mirrors {
	if o.cacheGB == 0 {
		return agentapi.Mirrors{}
	}
	return agentapi.Mirrors{Dir: o.data.file("mirrors"), Limit: int64(o.cacheGB) << 30}
}

// readImages reads the mappings of a file, if there is one, and those of the
// command line.
func readImages(file string, flags []string) (docker.Images, error) {
	var entries []string
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return docker.Images{}, usagef("--docker-images: %w", err)
		}
		defer f.Close()
		if entries, err = docker.ReadImages(f); err != nil {
			return docker.Images{}, usagef("--docker-images: %w", err)
		}
	}
	images, err := docker.ParseImages(append(entries, flags...))
	if err != nil {
		return images, usagef("--docker-image: %w", err)
	}
	return images, nil
}

// width is how many builds run at a time.
func (o serveOptions) width() int {
	if o.maxBuilds == 0 {
		return runtime.NumCPU()
	}
	return o.maxBuilds
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// hearing tells a person how the server learns of pushes.
func (o serveOptions) hearing() string {
	switch {
	case o.publicURL != "" && o.poll:
		return "providers deliver to " + o.publicURL + ", and refs are compared"
	case o.publicURL != "":
		return "providers deliver to " + o.publicURL
	case o.poll:
		return "refs are compared every minute"
	}
	return "none: providers do not know where this server is (--public-url URL, or --poll)"
}

// announce tells a person where the server is and what to do next.
func (s *server) announce(w io.Writer) {
	fmt.Fprintf(w, "slipway %s listens on %s\n", version, s.url)
	fmt.Fprintf(w, "  data    %s   account %s   region %s\n", s.o.data, s.o.account, s.o.region)
	fmt.Fprintf(w, "  builds  %s\n", s.sandboxNote)
	fmt.Fprintf(w, "  hooks   %s\n", s.o.hearing())
	fmt.Fprintf(w, "  console %s  (one sign-in, within an hour)\n", s.link.Reveal())
	env := "slipway env"
	if string(s.o.data) != defaultData() {
		env += " --data " + string(s.o.data)
	}
	fmt.Fprintf(w, "  clients eval \"$(%s)\"\n", env)
}
