package extension

import "regexp"

// sharedIndex matches indices of what all packages have in a directory: programs that dpkg's triggers start write them. In an image of
// packages they are made of the system's files and of the packages' together, and take the place of the system's. There is one such image on a machine.
var sharedIndex = regexp.MustCompile(`^usr/(` +
	// update-mime-database(1), update-desktop-database(1), glib-compile-schemas(1), gtk-update-icon-cache(1)
	`share/mime/[^/]+|share/applications/mimeinfo\.cache|share/glib-2\.0/schemas/gschemas\.compiled|share/icons/[^/]+/\.?icon-theme\.cache` +
	// gdk-pixbuf-query-loaders(1), gtk-query-immodules(1), gio-querymodules(1)
	`|lib/[^/]+/gdk-pixbuf-2\.0/[^/]+/loaders\.cache|lib/[^/]+/gtk-[0-9.]+/[^/]+/immodules\.cache|lib/[^/]+/gio/modules/giomodule\.cache` +
	// install-info(1), systemd-hwdb(8), :helptags of vim, localedef(1), mkfontdir(1)
	`|share/info/dir|lib/udev/hwdb\.bin|share/vim/vim[0-9]+/doc/tags|lib/locale/locale-archive|share/fonts/.*/fonts\.(dir|scale|alias)` +
	`)$`)
