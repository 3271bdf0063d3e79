package main

import (
	"cmp"
	"encoding/json/v2"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"portico/internal/rig"
)

// strategies are those that are compared. In brief the first of them play: two
// that could not differ more.
var strategies = []string{"cache_first", "drain_expiring", "balance", "performance_first", "priority", "weighted", "round_robin", "fixed"}

// The load of the scene.
const (
	sceneRate  = 30 // requests a second, less than half of what the accounts take
	sceneTalks = 40
	scenePick  = "cheap" // whom fixed takes
)

// A part is an account of the scene's file, as `portico simulate` reads it.
type part struct {
	Name        string  `yaml:"name"`
	RPM         float64 `yaml:"rpm"`
	Burst       float64 `yaml:"burst"`
	LatencyMS   float64 `yaml:"latency_ms"`
	Quota       int     `yaml:"quota"`
	QuotaWindow float64 `yaml:"quota_window_s"`
	QuotaEnds   float64 `yaml:"quota_ends_s"`
	QuotaTold   bool    `yaml:"quota_told"`
	Busy        float64 `yaml:"busy"`
	Revoked     bool    `yaml:"revoked"`
	DownFromS   float64 `yaml:"down_from_s"`
	DownForS    float64 `yaml:"down_for_s"`
	Weight      int     `yaml:"weight"`
	Priority    int     `yaml:"priority"`
	Price       float64 `yaml:"price"`
}

// A play is what came of the scene under a strategy, on either clock.
type play struct {
	Offered  int     `json:"offered"`
	Served   int     `json:"served"`
	Wasted   float64 `json:"wasted_share"`
	Locality float64 `json:"locality"`
	CostUSD  float64 `json:"cost_usd"`
	Lapsed   float64 `json:"lapsed_share"`
	TookP50  int64   `json:"took_p50_ns"`
	Accounts []struct {
		Name   string `json:"name"`
		Served int    `json:"served"`
	} `json:"accounts"`
}

// figures are what is compared, and by how much they may be apart beyond what
// chance does: networks and processes take their time.
var figures = []struct {
	name   string
	of     func(*play) float64
	floor  float64 // absolute
	share  float64 // of the figure
	number string
	unit   float64
}{
	{"served", func(p *play) float64 { return float64(p.Served) / float64(max(p.Offered, 1)) }, .01, 0, "%.1f %%", 100},
	{"calls refused", func(p *play) float64 { return p.Wasted }, .02, 0, "%.1f %%", 100},
	{"at home", func(p *play) float64 { return p.Locality }, .03, 0, "%.0f %%", 100},
	{"for 1000 requests", func(p *play) float64 { return 1000 * p.CostUSD / float64(max(p.Served, 1)) }, .01, .05, "$%.2f", 1},
	{"quota lapsed", func(p *play) float64 { return p.Lapsed }, .03, 0, "%.0f %%", 100},
	{"took, median", func(p *play) float64 { return time.Duration(p.TookP50).Seconds() }, .03, .1, "%.0f ms", 1000},
}

// strategies plays one scene under each strategy twice: on the virtual clock of
// `portico simulate`, with as many seeds as it takes to know what chance does,
// and by the gateway that serves. It compares what came of it.
func (s *soak) strategies() error {
	const name = "strategies"
	text, err := os.ReadFile(s.scene)
	if err != nil {
		return err
	}
	var scene struct {
		Accounts []part `yaml:"accounts"`
	}
	if err := yaml.UnmarshalWithOptions(text, &scene, yaml.Strict()); err != nil {
		return err
	}
	virtual, err := s.virtual(strategies[:s.size.strategies])
	if err != nil {
		return err
	}
	live := make([]*play, s.size.strategies)
	var mu sync.Mutex
	var all sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for i, mode := range strategies[:s.size.strategies] {
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			p, e := s.live(mode, scene.Accounts)
			mu.Lock()
			defer mu.Unlock()
			live[i], err = p, cmp.Or(err, e)
		})
	}
	all.Wait()
	if err != nil {
		return err
	}
	t := newComparison(scene.Accounts)
	for i, mode := range strategies[:s.size.strategies] {
		apart := t.add(mode, virtual[i], live[i])
		ok := apart == "" || s.size.slack > 1 // beside other tests nothing here is a measurement
		s.report.add(name, mode+": the gateway's figures and those of portico simulate", "within noise", ok, "%s", cmp.Or(apart, "all are"))
	}
	fmt.Fprintf(s.out, "\n%s\n", t.text(s.size.scene))
	if s.docs != "" {
		return writeBetween(s.docs, name, t.text(s.size.scene))
	}
	return nil
}

// virtual plays the scene on the virtual clock: plays by strategy, one for each
// seed.
func (s *soak) virtual(modes []string) ([][]*play, error) {
	out := make([][]*play, len(modes))
	for seed := range s.size.seeds {
		cmd := exec.CommandContext(s.ctx, s.binary, "simulate", "--json", "--file", s.scene, "--seed", fmt.Sprint(seed+1), "--strategy", strings.Join(modes, ","),
			"--rate", fmt.Sprint(sceneRate), "--length", s.size.scene.String(), "--conversations", fmt.Sprint(sceneTalks), "--tokens", fmt.Sprint(meanTokens), "--prefer", scenePick)
		text, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("portico simulate: %w", err)
		}
		var ps []*play
		if err := json.Unmarshal(text, &ps); err != nil {
			return nil, err
		}
		for i, p := range ps {
			out[i] = append(out[i], p)
		}
	}
	return out, nil
}

// live plays the scene with a gateway of its own. Each account has an endpoint
// of its own, as it has in the simulation.
func (s *soak) live(mode string, parts []part) (*play, error) {
	v := &vendor{customers: map[string]*customer{}, home: map[string]string{}}
	var conf strings.Builder
	fmt.Fprintf(&conf, "auth_mode: strict\napi_key: %s\nadmin_token: %s\nscheduling: {mode: %s, account: %s}\naccounts:\n", apiKey, adminToken, mode, scenePick)
	customers := make([]*customer, len(parts))
	for i := range parts {
		u, err := rig.NewUpstream()
		if err != nil {
			return nil, err
		}
		defer u.Close()
		u.Answer(v.answer)
		p, key := &parts[i], fmt.Sprintf("sk-CANARY-scene-%02d-0123456789", i)
		customers[i] = p.customer(key)
		v.customers[key] = customers[i]
		fmt.Fprintf(&conf, "  - {name: %s, provider: openai, protocols: [openai-chat], base_url: %q, api_key: %s, models: [\"*\"], weight: %d, priority: %d}\n",
			p.Name, u.Base(rig.Chat), key, max(p.Weight, 1), p.Priority)
	}
	g, err := rig.Start(s.ctx, rig.Options{Binary: s.binary, Dir: filepath.Join(s.dir, "scene-"+mode), Config: conf.String()})
	if err != nil {
		return nil, err
	}
	defer g.Kill()
	if err := g.Healthy(s.ctx, 20*time.Second); err != nil {
		return nil, err
	}
	start := time.Now()
	for i, c := range customers {
		c.begin(start, &parts[i])
	}
	l := &lab{talks: sceneTalks, named: true, length: s.size.scene, rng: rand.New(rand.NewPCG(cmp.Or(s.size.seed, rand.Uint64()), 5))}
	o := l.offer(s.ctx, g, sceneRate)
	p := &play{Offered: o.offered, Served: o.good, CostUSD: v.cost, Locality: float64(v.same) / float64(max(v.again, 1)), Wasted: float64(v.wasted) / float64(max(v.calls, 1)), TookP50: int64(o.took.at(.5))}
	lapsed, lapsing := 0, 0
	for i, c := range customers {
		c.roll(start.Add(l.length))
		lapsed, lapsing = lapsed+c.lapsed, lapsing+c.lapsing
		p.Accounts = append(p.Accounts, struct {
			Name   string `json:"name"`
			Served int    `json:"served"`
		}{parts[i].Name, c.served})
	}
	p.Lapsed = float64(lapsed) / float64(max(lapsing, 1))
	return p, s.ctx.Err()
}

// customer is the account as its vendor knows it.
func (p *part) customer(key string) *customer {
	c := &customer{
		key: key, rate: p.RPM / 60, burst: p.Burst, latency: seconds(p.LatencyMS / 1000), fails: p.Busy, price: p.Price,
		quota: p.Quota, every: seconds(p.QuotaWindow), tells: p.QuotaTold, style: inMillis,
	}
	if p.Revoked {
		c.refused = http.StatusUnauthorized
	}
	return c
}

// begin has c's times count from now.
func (c *customer) begin(now time.Time, p *part) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start(now)
	c.ends = now.Add(seconds(cmp.Or(p.QuotaEnds, p.QuotaWindow)))
	c.off = [2]time.Time{now.Add(seconds(p.DownFromS)), now.Add(seconds(p.DownFromS + p.DownForS))}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// A spread is the mean of a figure over seeds, and how far it goes.
type spread struct{ mean, deviation float64 }

func spreadOf(ps []*play, of func(*play) float64) (s spread) {
	for _, p := range ps {
		s.mean += of(p) / float64(len(ps))
	}
	for _, p := range ps {
		s.deviation += (of(p) - s.mean) * (of(p) - s.mean) / float64(max(len(ps)-1, 1))
	}
	s.deviation = math.Sqrt(s.deviation)
	return s
}

// holds reports whether x is no further from the mean than chance goes, which
// is four deviations, and floor besides.
func (s spread) holds(x, floor float64) bool { return math.Abs(x-s.mean) <= 4*s.deviation+floor }
