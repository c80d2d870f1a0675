package stage

// originSteps are the steps after which one can tell from a tree who put what
// there: IDs of steps, each of a whole tree.
type originSteps struct{ bootstrap, early, packages, files, scripts string }

// inputs names the trees for the step that asks.
func (o originSteps) inputs() map[string]string {
	return map[string]string{"bootstrap": o.bootstrap, "early": o.early, "packages": o.packages, "files": o.files, "scripts": o.scripts}
}
