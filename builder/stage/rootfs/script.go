package rootfs

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/stage/installed"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/task"
)

type scriptParams struct {
	Feature string `json:"feature"`
	Script  string `json:"script"`
}

// ScriptAction runs a feature's script inside the tree.
var ScriptAction = task.Define("script", 3, runScript)

// runScript runs a feature's script inside the tree. The feature's directory is
// at /builder/features/NAME while it runs.
func runScript(ctx context.Context, t *task.Task, p scriptParams) error {
	script := task.ToolSource + "/features/" + p.Feature + "/" + p.Script
	return installed.Watch(t, p.Script+" of "+p.Feature, func() error {
		return t.WithSources(func() error { return t.Script(ctx, "/", task.Runnable(t.Tree, script)) })
	})
}

// PostAction runs exec.post from the tools.
var PostAction = task.Define("post", 2, runPost)

// runPost runs exec.post from the tools, with the tree's path.
func runPost(ctx context.Context, t *task.Task, p scriptParams) error {
	return installed.Watch(t, p.Script+" of "+p.Feature, func() error {
		return t.Tool(ctx, task.ToolSource+"/features/"+p.Feature+"/"+p.Script, task.ToolTree)
	})
}

// BuildAction runs exec.build.
var BuildAction = task.Define("build", 3, runBuild)

// runBuild runs exec.build with the directory for what it makes, in an empty
// directory.
func runBuild(ctx context.Context, t *task.Task, p scriptParams) error {
	return t.WithSources(func() error {
		if err := sandbox.Bind(t.Out, t.Tree+"/run/treewright/out", false); err != nil {
			return err
		}
		return t.Script(ctx, "/tmp", []string{task.ToolSource + "/features/" + p.Feature + "/" + p.Script, "/run/treewright/out"})
	})
}

// Script runs a script of ours. exec.post runs outside the tree.
func Script(p *planner.Planner, f *config.Feature, script string, step plan.Step) (plan.Step, error) {
	src, err := p.Sources.ImportBeside("features/"+f.Name, p.FeatureDir(f), script)
	if err != nil {
		return step, err
	}
	step.Env, step.Sources = scriptEnv(p, f, script), []plan.Source{src}
	action := ScriptAction
	if script == "exec.post" {
		action = PostAction
		if step.Tools, err = p.ToolsLayer(distro.ForScripts); err != nil {
			return step, err
		}
	}
	return action.Step(scriptParams{Feature: f.Name, Script: script}, lend(p, f, script, step)), nil
}

// lend gives a script's step the secrets of the feature's parameters. The script finds
// the path of each one's file in the variable of the parameter, which is empty if the
// flavour uses none.
func lend(p *planner.Planner, f *config.Feature, script string, step plan.Step) plan.Step {
	for _, param := range f.Parameters {
		if param.Secret && (param.Early || script != "exec.early") {
			step.Env["PARAM_"+strings.ToUpper(param.Name)] = ""
		}
	}
	for _, s := range p.Spec.SecretsOf(f) {
		if script == "exec.early" && !s.Early {
			continue
		}
		step.Env["PARAM_"+strings.ToUpper(s.Parameter)] = plan.SecretsDir + "/" + s.Name
		secret := plan.Secret{Name: s.Name, Version: p.Secrets[s.Name]}
		if !slices.Contains(step.Secrets, secret) {
			step.Secrets = append(step.Secrets, secret)
		}
	}
	if len(step.Secrets) == 0 {
		return step
	}
	var names []string
	for _, secret := range step.Secrets {
		names = append(names, secret.Name)
	}
	step.Title += " with the secret " + strings.Join(names, " and ")
	for _, line := range f.Secrets {
		step.MayHold = append(step.MayHold, line.Text)
	}
	return step
}

// scriptEnv is the environment of a feature's script. What names the flavour
// or depends on all of its features is kept from exec.early, and so is every
// parameter that is not declared to be early: flavours share the layers of
// exec.early and of the packages installed above it.
func scriptEnv(p *planner.Planner, f *config.Feature, script string) map[string]string {
	env := map[string]string{
		"DEBIAN_FRONTEND":       "noninteractive",
		"INITRD":                "No",
		"TREEWRIGHT_VERSION_ID": p.VersionID(),
	}
	maps.Copy(env, p.Spec.Environment(f.Name))
	if script == "exec.early" {
		for _, name := range []string{"TREEWRIGHT_VERSION_ID", "BUILDER_FLAVOUR", "BUILDER_CNAME", "BUILDER_FEATURES", "BUILDER_MIRROR", "BUILDER_COMPONENTS", "BUILDER_KEYRING"} {
			delete(env, name)
		}
		for _, param := range f.Parameters {
			if !param.Early {
				delete(env, "PARAM_"+strings.ToUpper(param.Name))
			}
		}
	}
	return env
}
