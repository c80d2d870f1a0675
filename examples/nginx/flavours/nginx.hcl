# A web server on Debian stable. The suites trixie-security and trixie-updates are
# sources of every released suite, so each build has the newest security updates:
#
#     ./build -C examples/nginx nginx

flavour "nginx" {
  description = "nginx on Debian stable with security updates"

  distribution {
    suite = "trixie"
  }

  features = ["ostreeImage", "web"]

  set "base" {
    hostname = "web"
  }

  set "ostreeRepo" {
    os_name = "nginx"
  }

  set "web" {
    server_name = "www.example.org"
  }
}
