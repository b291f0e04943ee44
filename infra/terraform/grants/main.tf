# What each part of a fleet may do on a bucket, from infra/iam/parts.json: one role for each permission, and bindings
# with conditions on object names. The same as infra/iam/grant.mjs prints; check.sh compares them. Needs no provider.

terraform {
  required_version = ">= 1.9"
}

variable "bucket" {
  description = "Name of the store's bucket."
  type        = string
}

variable "members" {
  description = "Members to bind for each part, in IAM's notation: serviceAccount:…, group:…, user:…."
  type        = map(list(string))

  validation {
    condition     = length(setsubtract(keys(var.members), keys(local.parts))) == 0
    error_message = "Expected parts of infra/iam/parts.json: ${join(", ", keys(local.parts))}; found ${join(", ", keys(var.members))}."
  }
}

locals {
  parts = jsondecode(file("${path.module}/../../iam/parts.json"))
  root  = "projects/_/buckets/${var.bucket}/objects/"
  # Cloud Storage allows a dozen logical operators in a condition.
  places_in_a_condition = 5

  # The name of each permission's role, by permission, such as storage.objects.get.
  role_names = {
    for permission in distinct(flatten([for part in local.parts : keys(part.bucket)])) :
    permission => "pixartBatch${title(reverse(split(".", permission))[0])}"
  }

  # Conditions by part and permission, in groups, of which one has to hold; none for a permission on the whole bucket. A
  # place without `*` is a name, with one at its end a prefix, and with one in its middle a prefix and a suffix. With
  # two, the text between them has to occur.
  conditions = {
    for name, part in local.parts : name => {
      for permission, places in part.bucket : permission => contains(places, "*") ? [null] : [
        for some in chunklist(places, local.places_in_a_condition) : join(" || ", [
          for pieces in [for place in some : split("*", place)] : (
            length(pieces) == 1 ? "resource.name == \"${local.root}${pieces[0]}\"" :
            pieces[1] == "" ? "resource.name.startsWith(\"${local.root}${pieces[0]}\")" :
            length(pieces) == 2
            ? "(resource.name.startsWith(\"${local.root}${pieces[0]}\") && resource.name.endsWith(\"${pieces[1]}\"))"
            : "(resource.name.startsWith(\"${local.root}${pieces[0]}\") && resource.name.extract(\"${local.root}${pieces[0]}{any}${pieces[1]}\") != \"\")"
          )
        ])
      ]
    }
  }

  bindings = flatten([
    for name, members in var.members : [
      for permission, conditions in local.conditions[name] : [
        for at, expression in conditions : [
          for which, member in members : {
            # Members may be unknown until they are created, so the key uses their position in the list.
            key        = "${name} ${which} ${permission} ${at + 1}"
            role       = local.role_names[permission]
            member     = member
            expression = expression
            title      = "pixart-batch ${reverse(split(".", permission))[0]}${at == 0 ? "" : " ${at + 1}"}"
          }
        ]
      ]
    ]
  ])
}

output "roles" {
  description = "The single permission of each role, by the role's name."
  value       = { for permission, role in local.role_names : role => permission }
}

output "bindings" {
  description = "Bindings on the bucket, by key; `expression` is null if there is no condition."
  value       = { for binding in local.bindings : binding.key => binding }
}
