package config

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// The structs below are the whole language. Both syntaxes are decoded into
// them, and the JSON Schemas are generated from them, so a field is added here
// and nowhere else. Tags beyond gohcl's own:
//
//	yaml      the field's name in YAML, where a plural reads better
//	doc       the description in the schema
//	enum      the values allowed, separated by commas
//	pattern   what a string must match
//	names     what the labels of a block, or its free names, must match
//	default   the value of a field that is not written
//	required  the schema asks for it

// The types of attributes. decode assigns an *hcl.Attribute to each, because
// named pointer types are assignable from the plain one; the names tell the
// readers in value.go and the schema apart what the attribute may hold. An
// attribute that is not written is nil.
type (
	stringAttr *hcl.Attribute
	boolAttr   *hcl.Attribute
	listAttr   *hcl.Attribute // a list of strings
	intAttr    *hcl.Attribute // a whole number
	matrixAttr *hcl.Attribute // a mapping of names to lists of strings
	valueAttr  *hcl.Attribute // whatever a variable or parameter can be worth
	filesAttr  *hcl.Attribute // a mapping of paths to strings or fileFields, or a string
	unitsAttr  *hcl.Attribute // unitsFields
	usersAttr  *hcl.Attribute // a mapping of names to userFields
	groupsAttr *hcl.Attribute // a mapping of names to groupFields, or a list of strings
	sysctlAttr *hcl.Attribute // a mapping of names to strings or numbers
)

// treeFile is the file treewright.hcl.
type treeFile struct {
	Use listAttr `hcl:"use,optional" doc:"The trees whose features can be used here: builtin for those that are part of Treewright; paths, relative to this tree or absolute; git+URL#COMMIT or git+URL#COMMIT:DIRECTORY. Of features with one name the tree's own wins, then that of the first tree."`

	Snapshots listAttr `hcl:"snapshots,optional" doc:"Where packages are looked for that their source does not have any more: URLs with {sha256}, {sha1}, {md5}, {path} or {file}, and with {archive} and {timestamp}, such as https://snapshot.debian.org/file/{sha1}. Whatever comes from there must have the hash that is asked for."`

	RemoteCache *remoteCacheBlock `hcl:"remote_cache,block" doc:"The cache of results that is shared with other machines. --remote-cache names another one."`
	RemoteExec  *remoteExecBlock  `hcl:"remote_exec,block" doc:"The server that has steps carried out by other machines. --remote-exec names another one."`
	Extend      *extendBlock      `hcl:"extend,block" doc:"Images of packages that serve makes for machines that ask for them. Without the block it makes none."`
}

// remoteCacheBlock is how a tree names a cache of results on another machine.
type remoteCacheBlock struct {
	Range       hcl.Range  `hcl:",def_range"`
	URL         stringAttr `hcl:"url,optional" doc:"Where it is: grpc://HOST:PORT[/INSTANCE] or grpcs://HOST[:PORT][/INSTANCE] for a server of the Remote Execution API, oci://REGISTRY/REPOSITORY for a registry."`
	Push        boolAttr   `hcl:"push,optional" default:"false" doc:"Whether results that are made here are put there, as with --remote-push."`
	Authority   stringAttr `hcl:"authority,optional" doc:"A file with the certificates (PEM) of the authority that the server's certificate must be from, in place of those of this machine; absolute or relative to the configuration tree."`
	Certificate stringAttr `hcl:"certificate,optional" doc:"A file with the certificate (PEM) by which the server knows this machine; absolute or relative to the configuration tree."`
	Key         stringAttr `hcl:"key,optional" doc:"The file with the private key (PEM) of the certificate: an absolute path, because a private key must not be in a configuration tree."`
}

// remoteExecBlock names the server for remote execution.
type remoteExecBlock struct {
	Range       hcl.Range  `hcl:",def_range"`
	URL         stringAttr `hcl:"url,optional" doc:"Where it is: grpc://HOST:PORT[/INSTANCE] or grpcs://HOST[:PORT][/INSTANCE], a server with the Execution service of the Remote Execution API."`
	Platform    listAttr   `hcl:"platform,optional" doc:"Properties that workers must have, beside OSFamily and ISA: NAME=VALUE, or ARCHITECTURE:NAME=VALUE for the steps of one architecture; NAME= leaves a property out."`
	Authority   stringAttr `hcl:"authority,optional" doc:"A file with the certificates (PEM) of the authority that the server's certificate must be from, in place of those of this machine; absolute or relative to the configuration tree."`
	Certificate stringAttr `hcl:"certificate,optional" doc:"A file with the certificate (PEM) by which the server knows this machine; absolute or relative to the configuration tree."`
	Key         stringAttr `hcl:"key,optional" doc:"The file with the private key (PEM) of the certificate: an absolute path, because a private key must not be in a configuration tree."`
}

// extendBlock describes the images of packages that a server makes for machines that ask for them. See [Extend].
type extendBlock struct {
	Range        hcl.Range  `hcl:",def_range"`
	Packages     listAttr   `hcl:"packages,optional" required:"true" doc:"Names of packages that machines may ask for, and patterns of names, such as vim*; * allows all packages. What these packages need is added too."`
	Sources      listAttr   `hcl:"sources,optional" doc:"The names of the sources that all packages of an image must come from: main, security, updates, backports, and names of source blocks. All sources of the flavour if not written."`
	Jobs         intAttr    `hcl:"jobs,optional" default:"1" doc:"How many images are made at the same time; of one flavour it is always one."`
	Queue        intAttr    `hcl:"queue,optional" default:"20" doc:"How many requests can wait."`
	Timeout      stringAttr `hcl:"timeout,optional" default:"30m" doc:"How long it may take to make an image, such as 90s, 30m or 2h."`
	MostPackages intAttr    `hcl:"most_packages,optional" default:"50" doc:"How many packages a machine can ask for."`
}

// flavourFile is a file below flavours/.
type flavourFile struct {
	Variables []*variableBlock `hcl:"variable,block" yaml:"variables" doc:"Values that can be set from outside with --var NAME=VALUE or TREEWRIGHT_VAR_NAME, written var.NAME in expressions." names:"^[A-Za-z_][A-Za-z0-9_-]*$"`
	Locals    []*localsBlock   `hcl:"locals,block" doc:"Named values, written local.NAME in expressions; they may refer to each other and to variables."`
	Flavours  []*flavourBlock  `hcl:"flavour,block" yaml:"flavours" doc:"The systems to build, by name." names:"^[A-Za-z0-9][A-Za-z0-9._-]*$"`
}

type variableBlock struct {
	Name        string     `hcl:"name,label"`
	NameRange   hcl.Range  `hcl:"name,label_range"`
	Type        stringAttr `hcl:"type,optional" enum:"string,bool,int,list" doc:"The type of the value; that of the default, or string, if not written. A list is given from outside with commas."`
	Default     valueAttr  `hcl:"default,optional" doc:"The value if none is given from outside. A variable without one must be given."`
	Description stringAttr `hcl:"description,optional" doc:"One line on what the variable is for."`
}

type localsBlock struct {
	Values hcl.Attributes `hcl:",remain" names:"^[A-Za-z_][A-Za-z0-9_-]*$"`
}

type flavourBlock struct {
	Label          string             `hcl:"name,label"`
	LabelRange     hcl.Range          `hcl:"name,label_range"`
	Body           hcl.Body           `hcl:",body"`
	Description    stringAttr         `hcl:"description,optional" doc:"One line on what the system is."`
	Extends        stringAttr         `hcl:"extends,optional" doc:"The name of the flavour that this one starts from. Values that are written here replace the inherited ones: each field of distribution, each parameter."`
	Abstract       boolAttr           `hcl:"abstract,optional" default:"false" doc:"True for a flavour that exists only to be extended."`
	Matrix         matrixAttr         `hcl:"matrix,optional" doc:"Lists of values by name. The flavour is repeated for every combination; its values are matrix.NAME in expressions."`
	Name           stringAttr         `hcl:"name,optional" doc:"The flavour's name, if it differs from the label; with a matrix a template such as debian-${matrix.suite}-${matrix.arch}."`
	Distribution   *distributionBlock `hcl:"distribution,block" doc:"Where the packages come from."`
	Features       listAttr           `hcl:"features,optional" doc:"The features to compose, in any order. They replace those of the extended flavour."`
	AddFeatures    listAttr           `hcl:"add_features,optional" doc:"Features in addition to those of the extended flavour."`
	RemoveFeatures listAttr           `hcl:"remove_features,optional" doc:"Features of the extended flavour to leave out, along with their settings."`
	Set            []*setBlock        `hcl:"set,block" doc:"Parameters of features, by feature." names:"^_?[A-Za-z0-9][A-Za-z0-9_.-]*$"`

	Sign *signBlock `hcl:"sign,block" doc:"Who signs what is published, and whose signatures machines accept."`

	// What the flavour brings itself; see content.go.
	Packages        listAttr   `hcl:"packages,optional" doc:"Packages of the system, as lines of pkg.include. They replace those of the extended flavour."`
	AddPackages     listAttr   `hcl:"add_packages,optional" doc:"Packages in addition to those of the extended flavour."`
	ExcludePackages listAttr   `hcl:"exclude_packages,optional" doc:"Packages that features name and that the system does not get, as lines of pkg.exclude; !NAME forbids one as a dependency, too. They replace those of the extended flavour."`
	ExcludeFiles    listAttr   `hcl:"exclude_files,optional" doc:"Patterns of absolute paths that are removed from the system, as in file.exclude. They replace those of the extended flavour."`
	Files           filesAttr  `hcl:"files,optional" doc:"Files of the system by absolute path: the content, or an object; null removes an inherited one. Or a directory of the configuration tree that holds files as file.include does."`
	KernelArgs      listAttr   `hcl:"kernel_args,optional" doc:"Kernel arguments of the disk image, after those of the image feature. They replace those of the extended flavour."`
	Units           unitsAttr  `hcl:"units,optional" doc:"Units of systemd to enable, disable or mask."`
	Users           usersAttr  `hcl:"users,optional" doc:"Accounts of users, by name; null removes an inherited one."`
	Groups          groupsAttr `hcl:"groups,optional" doc:"Groups by name, of which null removes an inherited one; or a list of names."`
	Timezone        stringAttr `hcl:"timezone,optional" doc:"The time zone, such as Europe/Berlin."`
	Locale          stringAttr `hcl:"locale,optional" doc:"The locale of the system, such as de_DE.UTF-8."`
	Keymap          stringAttr `hcl:"keymap,optional" pattern:"^[a-z][a-z0-9_]*(\\([A-Za-z0-9_-]+\\))?(,[a-z][a-z0-9_]*(\\([A-Za-z0-9_-]+\\))?)*$" doc:"The layout of the keyboard in XKB's words, such as de, us(intl) or us,ru."`
	Sysctl          sysctlAttr `hcl:"sysctl,optional" doc:"Kernel parameters by name, as in sysctl.d: strings or numbers; null removes an inherited one."`
}

// signBlock is how a flavour writes it.
type signBlock struct {
	Range      hcl.Range  `hcl:",def_range"`
	Body       hcl.Body   `hcl:",body"`
	PublicKeys listAttr   `hcl:"public_keys,optional" doc:"Files of the configuration tree with OpenPGP public keys. Machines accept what one of them has signed; so does a build of its archive's history."`
	Key        stringAttr `hcl:"key,optional" doc:"The fingerprint of the key that gpg signs with when a build is published. If public_keys is not written, its public half is the key that machines have."`
	Home       stringAttr `hcl:"home,optional" doc:"The directory where gpg has the key, absolute or relative to the configuration tree; gpg's usual one if not written."`
	Command    listAttr   `hcl:"command,optional" doc:"A program with arguments that signs in place of gpg: it reads from standard input what is to be signed, and writes a detached OpenPGP signature to standard output. It runs in the configuration tree, with what it signs in TREEWRIGHT_SIGN."`

	VerityKey          stringAttr `hcl:"verity_key,optional" doc:"The private key that extensions as disk images (format ddi) are signed with, in PEM: the absolute path of a file of the machine that builds. Empty means that they are not signed."`
	VerityCommand      listAttr   `hcl:"verity_command,optional" doc:"A command that signs in place of verity_key: it reads the root hash from its standard input and writes a detached PKCS#7 signature in DER."`
	VerityCertificates listAttr   `hcl:"verity_certificates,optional" doc:"The certificates that machines check these signatures by: files of the configuration tree, in PEM. The first one whose key fits signs."`
}

type distributionBlock struct {
	Range      hcl.Range  `hcl:",def_range"`
	Body       hcl.Body   `hcl:",body"`
	Family     stringAttr `hcl:"family,optional" enum:"debian" default:"debian" doc:"The family of distributions."`
	Suite      stringAttr `hcl:"suite,optional" pattern:"^[a-z0-9][a-z0-9.+-]*$" doc:"The release, such as testing or trixie. Every flavour needs one, its own or from the flavour it extends."`
	Arch       stringAttr `hcl:"arch,optional" enum:"amd64,arm64" default:"amd64" doc:"The architecture, in Debian's spelling."`
	Mirror     stringAttr `hcl:"mirror,optional" pattern:"^(https?|file)://" default:"http://deb.debian.org/debian" doc:"The URL of the package archive: http, https or file."`
	Components listAttr   `hcl:"components,optional" default:"main" doc:"The components of the package archive to use; main only if not written."`
	Keyring    stringAttr `hcl:"keyring,optional" doc:"The OpenPGP keyring that the release file must be signed by, absolute or relative to the configuration tree; that of the family if not written."`
	CA         stringAttr `hcl:"ca,optional" doc:"A file with the certificates (PEM) of the authority that the mirror's certificate for https must be from, in place of those of this machine; absolute or relative to the configuration tree."`

	Architectures  listAttr       `hcl:"architectures,optional" doc:"Further architectures whose packages can be installed, as NAME:ARCH, such as i386 beside amd64."`
	Security       boolAttr       `hcl:"security,optional" doc:"Whether security updates are taken: the suite SUITE-security. True if not written for suites that have them, unless the archive has a keyring of its own or is a directory. Without, each build warns."`
	SecurityMirror stringAttr     `hcl:"security_mirror,optional" pattern:"^(https?|file)://" doc:"The URL of the archive of security updates. If not written, it is the one beside the mirror for deb.debian.org and snapshot.debian.org, and http://deb.debian.org/debian-security for others."`
	Updates        boolAttr       `hcl:"updates,optional" doc:"Whether the suite SUITE-updates is taken; as security if not written."`
	Backports      boolAttr       `hcl:"backports,optional" default:"false" doc:"Whether the suite SUITE-backports is there, with the priority 100 of Debian: packages come from it as NAME/SUITE-backports, or if no other source has them."`
	Sources        []*sourceBlock `hcl:"source,block" yaml:"sources" doc:"Further package archives, by name." names:"^[a-z0-9][a-z0-9.-]*$"`
}

// sourceBlock is a package archive beside that of the distribution.
type sourceBlock struct {
	Name          string     `hcl:"name,label"`
	NameRange     hcl.Range  `hcl:"name,label_range"`
	Body          hcl.Body   `hcl:",body"`
	URLs          listAttr   `hcl:"urls,optional" doc:"Where the archive is: http, https or file. The first one is asked, and packages that it does not bring are taken from the others."`
	Suites        listAttr   `hcl:"suites,optional" doc:"The suites, below dists/; or, ending in /, a directory that holds an archive without components, such as ./"`
	Components    listAttr   `hcl:"components,optional" default:"main" doc:"The components to use; main only if not written."`
	Architectures listAttr   `hcl:"architectures,optional" doc:"The architectures that the archive is asked for; all of the system if not written."`
	Keyring       stringAttr `hcl:"keyring,optional" doc:"The OpenPGP keys that the release file must be signed by, armoured or not: a file of the feature or of the configuration tree, or an absolute path. Those of the family if not written."`
	CA            stringAttr `hcl:"ca,optional" doc:"A file with the certificates (PEM) of the authority that certificates for https must be from, in place of those of this machine: a file of the feature or of the configuration tree, or an absolute path."`
	Packages      listAttr   `hcl:"packages,optional" doc:"Patterns of package names, with * and ?: only packages of these names come from this source, and as far as it has them they come from no other one."`
	Priority      intAttr    `hcl:"priority,optional" doc:"The priority of its packages, as in apt_preferences(5): 500 is usual, 990 or more wins over newer versions elsewhere, 100 or less gives packages that no other source has, below 0 none but those asked for as NAME/SUITE."`
	OnMachine     boolAttr   `hcl:"on_machine,optional" default:"false" doc:"Whether the list of sources of the machine itself has it, with its keys and pins."`
}

type setBlock struct {
	Feature      string         `hcl:"feature,label"`
	FeatureRange hcl.Range      `hcl:"feature,label_range"`
	Values       hcl.Attributes `hcl:",remain" names:"^[a-z][a-z0-9_]*$"`
}

// fileFields are a file of a flavour, where its content alone does not say all.
type fileFields struct {
	Content stringAttr `hcl:"content,optional" doc:"What the file holds."`
	Source  stringAttr `hcl:"source,optional" doc:"A file or directory to copy instead, relative to the configuration tree."`
	Mode    stringAttr `hcl:"mode,optional" pattern:"^0?[0-7]{3,4}$" default:"0644" doc:"The permissions of the file, in octal."`
	Owner   stringAttr `hcl:"owner,optional" default:"root" doc:"The user that owns the file, or all that is copied."`
	Group   stringAttr `hcl:"group,optional" default:"root" doc:"The group that owns the file, or all that is copied."`
	Secret  boolAttr   `hcl:"secret,optional" default:"false" doc:"Whether the file may be in the system although it is a secret, which everyone who gets the commit can read."`
}

type unitsFields struct {
	Enable  listAttr `hcl:"enable,optional" doc:"Units that start with the machine."`
	Disable listAttr `hcl:"disable,optional" doc:"Units that do not start by themselves."`
	Mask    listAttr `hcl:"mask,optional" doc:"Units that cannot be started at all."`
}

type userFields struct {
	UID     intAttr    `hcl:"uid,optional" doc:"The number; the next free one if not written."`
	Gecos   stringAttr `hcl:"gecos,optional" doc:"The full name, or what the account is for."`
	Shell   stringAttr `hcl:"shell,optional" default:"/bin/bash" doc:"The login shell, an absolute path; /usr/sbin/nologin for a system account."`
	Home    stringAttr `hcl:"home,optional" doc:"The home directory, an absolute path: /home/NAME if not written, none for a system account."`
	Groups  listAttr   `hcl:"groups,optional" doc:"Groups that the user is a member of, besides the one of their own."`
	SSHKeys listAttr   `hcl:"ssh_keys,optional" doc:"Public ssh keys that may log in as the user, each as a line of authorized_keys."`
	Sudo    boolAttr   `hcl:"sudo,optional" default:"false" doc:"Whether the user may become root by sudo, without a password."`
	System  boolAttr   `hcl:"system,optional" default:"false" doc:"Whether the account is for a service: a number below 1000, no home and no shell."`
}

type groupFields struct {
	GID    intAttr  `hcl:"gid,optional" doc:"The number; the next free one if not written."`
	System boolAttr `hcl:"system,optional" default:"false" doc:"Whether the number is one for services, below 1000."`
}

// infoFile is a feature's info.yaml.
type infoFile struct {
	Body        hcl.Body          `hcl:",body"`
	Description stringAttr        `hcl:"description,optional" doc:"One line on what the feature adds."`
	Type        stringAttr        `hcl:"type,optional" required:"true" enum:"platform,element,flag,extension" doc:"What the feature is: a platform to run on, an element, a flag (its name begins with _), or a system extension of its own."`
	Stage       stringAttr        `hcl:"stage,optional" enum:"commit,image,program" doc:"The stage of the build that the feature adds to a flavour."`
	Features    *infoFeatures     `hcl:"features,block" doc:"Relations to other features."`
	Secrets     listAttr          `hcl:"secrets,optional" doc:"Files with secrets that the feature contains on purpose, although everyone who gets the commit can read them: absolute paths. A secret that is not listed ends the build."`
	Recommends  boolAttr          `hcl:"recommends,optional" default:"false" doc:"Whether the packages that those of pkg.include recommend are installed too. NAME+recommends in pkg.include says so of one package."`
	Listens     listAttr          `hcl:"listens,optional" doc:"Sockets on which other machines can reach programs of the feature: tcp/PORT, udp/PORT or raw/PROTOCOL, with variables and conditions as in pkg.include. The machine test fails on a socket that no feature declares."`
	Sources     []*sourceBlock    `hcl:"sources,block" doc:"Package archives that the feature's packages come from, by name." names:"^[a-z0-9][a-z0-9.-]*$"`
	Parameters  []*parameterBlock `hcl:"parameters,block" doc:"Values that a flavour can set, by name; scripts get them in their environment." names:"^[a-z][a-z0-9_]*$"`
}

type infoFeatures struct {
	Include listAttr `hcl:"include,optional" doc:"Features that this one needs; they come before it."`
	Exclude listAttr `hcl:"exclude,optional" doc:"Features that cannot be combined with this one."`
}

type parameterBlock struct {
	Name        string     `hcl:"name,label"`
	NameRange   hcl.Range  `hcl:"name,label_range"`
	Type        stringAttr `hcl:"type,optional" enum:"string,bool,int,list,objects" doc:"The type of the value; that of the default, or string, if not written."`
	Default     valueAttr  `hcl:"default,optional" doc:"The value in flavours that do not set it. A string may contain ${suite}, ${arch}, ${family}, ${flavour} and ${serial_console}."`
	Description stringAttr `hcl:"description,optional" doc:"One line on what the parameter changes."`
	Example     valueAttr  `hcl:"example,optional" doc:"A value that is shown to those who need one: in messages and by new flavour."`
	Required    boolAttr   `hcl:"required,optional" default:"false" doc:"Whether each flavour with the feature must set it. A required parameter has no default."`
	Values      listAttr   `hcl:"values,optional" doc:"The only strings allowed."`
	Format      stringAttr `hcl:"format,optional" enum:"host-name,line,name,ostree-ref,public-url,ssh-public-key,url,user-name" doc:"The form that a string, or each string of a list, must have, unless it is empty."`
	Pattern     stringAttr `hcl:"pattern,optional" doc:"A regular expression (RE2) that a string, or each string of a list, must match as a whole, unless it is empty."`
	Min         intAttr    `hcl:"min,optional" doc:"The least number allowed; for a string the least number of characters, unless it is empty; for a list or objects the least number of elements."`
	Max         intAttr    `hcl:"max,optional" doc:"The greatest number allowed, of what min counts."`
	Requires    stringAttr `hcl:"requires,optional" doc:"Another parameter of the feature, without which this one has no effect: setting it alone is an error."`
	Early       boolAttr   `hcl:"early,optional" default:"false" doc:"Whether exec.early gets it. A change then installs all packages again."`
	Secret      boolAttr   `hcl:"secret,optional" default:"false" doc:"Whether the value is the name of a secret: --secret NAME=FILE gives its content, and scripts get the path of a file that holds it."`

	Fields []*fieldBlock `hcl:"fields,block" doc:"The fields that each of the objects has, by name, for the type objects." names:"^[a-z][a-z0-9_]*$"`
}

// fieldBlock is a field of a parameter of type objects.
type fieldBlock struct {
	Name        string     `hcl:"name,label"`
	NameRange   hcl.Range  `hcl:"name,label_range"`
	Type        stringAttr `hcl:"type,optional" enum:"string,bool,int,list" doc:"The type of the value; that of the default, or string, if not written."`
	Default     valueAttr  `hcl:"default,optional" doc:"The value in objects that do not have the field."`
	Description stringAttr `hcl:"description,optional" doc:"One line on what the field is for."`
	Example     valueAttr  `hcl:"example,optional" doc:"A value that is shown to those who need one, in messages."`
	Required    boolAttr   `hcl:"required,optional" default:"false" doc:"Whether each object must have the field. A required field has no default."`
	Values      listAttr   `hcl:"values,optional" doc:"The only strings allowed."`
	Format      stringAttr `hcl:"format,optional" enum:"host-name,line,name,ostree-ref,public-url,ssh-public-key,url,user-name" doc:"As for parameters."`
	Pattern     stringAttr `hcl:"pattern,optional" doc:"As for parameters."`
	Min         intAttr    `hcl:"min,optional" doc:"As for parameters."`
	Max         intAttr    `hcl:"max,optional" doc:"As for parameters."`
}

// parameter is the field as the declaration of a parameter.
func (b *fieldBlock) parameter() *parameterBlock {
	return &parameterBlock{
		Name: b.Name, NameRange: b.NameRange, Type: b.Type, Default: b.Default, Description: b.Description, Example: b.Example,
		Required: b.Required, Values: b.Values, Format: b.Format, Pattern: b.Pattern, Min: b.Min, Max: b.Max,
	}
}

// tagOf returns a tag of a field of one of the structs above, so that a check
// and the schema go by the same words. The field must exist.
func tagOf[Block any](field, tag string) string {
	f, ok := reflect.TypeFor[Block]().FieldByName(field)
	if !ok {
		panic("config: no field " + field)
	}
	return f.Tag.Get(tag)
}

func enumOf[Block any](field string) []string {
	return strings.Split(tagOf[Block](field, "enum"), ",")
}

var (
	parameterTypes   = enumOf[parameterBlock]("Type")
	fieldTypes       = enumOf[fieldBlock]("Type")
	variableTypes    = enumOf[variableBlock]("Type")
	parameterFormats = enumOf[parameterBlock]("Format")
	featureTypes     = enumOf[infoFile]("Type")
	featureStages    = enumOf[infoFile]("Stage")
	families         = enumOf[distributionBlock]("Family")
	architectures    = enumOf[distributionBlock]("Arch")
	suitePattern     = regexp.MustCompile(tagOf[distributionBlock]("Suite", "pattern"))
	flavourPattern   = regexp.MustCompile(tagOf[flavourFile]("Flavours", "names"))
	variablePattern  = regexp.MustCompile(tagOf[flavourFile]("Variables", "names"))
	featurePattern   = regexp.MustCompile(tagOf[flavourBlock]("Set", "names"))
	sourcePattern    = regexp.MustCompile(tagOf[distributionBlock]("Sources", "names"))
	parameterPattern = regexp.MustCompile(tagOf[infoFile]("Parameters", "names"))
)
