package app

import (
	"fmt"
	"maps"
	"slices"

	"portico/internal/config"
	"portico/internal/route"
)

// rulesOf are the rules that c makes: of background work first, then the
// routes, then the presets, then the aliases, the most specific of which wins.
func rulesOf(c *config.Config) ([]route.Rule, error) {
	var errands, rules, aliases []route.Rule
	if m := c.Routing.Background; m != "" {
		errands = append(errands, route.Rule{Match: "*", To: []string{m}, When: route.When{Background: route.Any}})
	}
	for i, r := range c.Routes {
		needs, unknown := route.ParseNeeds(r.Needs)
		if unknown != "" {
			return nil, fmt.Errorf("routes[%d].needs: there is no %q", i, unknown)
		}
		rules = append(rules, route.Rule{
			Match: r.Match, To: r.To, On: r.On, Prefer: r.Prefer,
			When: route.When{Over: r.Over, Under: r.Under, OutputOver: r.OutputOver, Needs: needs, Background: r.Background},
		})
	}
	ready, unknown := route.FromPresets(c.Routing.Presets)
	if unknown != "" {
		return nil, fmt.Errorf("routing.presets: there is no %q", unknown)
	}
	rules = append(rules, ready...)
	for _, name := range slices.Sorted(maps.Keys(c.Aliases)) {
		aliases = append(aliases, route.Rule{Match: name, To: []string{c.Aliases[name]}})
	}
	if c.Routing.Order == "specific" {
		rules, aliases = append(rules, aliases...), nil
		route.Specific(rules)
	}
	route.Specific(aliases)
	return slices.Concat(errands, rules, aliases), nil
}
