variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the cluster, the buckets and the container images; its zones have to offer the GPUs of `gpu_pools`."
  type        = string
}

variable "name" {
  description = "Base name of everything: the cluster, its network, its accounts."
  type        = string
  default     = "pixart"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,14}[a-z0-9]$", var.name))
    error_message = "Expected 2 to 16 lower-case letters, digits and hyphens, starting with a letter; found \"${var.name}\"."
  }
}

variable "store" {
  description = "Name of the bucket for the store. Bucket names are globally unique."
  type        = string
}

variable "bundles" {
  description = "Name of the bucket for bundles."
  type        = string
}

variable "soft_delete_days" {
  description = "Days for which replaced or deleted objects of the store stay restorable, by anyone with the permission, and billed. Objects that `forget` removed are gone only after that time; with 0 they are gone at once, and nothing can be restored."
  type        = number
  default     = 7

  validation {
    condition     = var.soft_delete_days == 0 || (var.soft_delete_days >= 7 && var.soft_delete_days <= 90)
    error_message = "Expected 0, or 7 to 90 days, the range that Cloud Storage accepts; found ${var.soft_delete_days}."
  }
}

variable "release" {
  description = "Name of the Helm release."
  type        = string
  default     = "night"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$", var.release))
    error_message = "Expected a valid Helm release name, found \"${var.release}\"."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the Helm release."
  type        = string
  default     = "studio"
}

variable "gpu_pools" {
  description = "Node pools for render workers, by name. Each scales to zero when nothing renders, and never beyond max_nodes in all zones together. A node needs enough memory and processors for the chart's `renderer.resources` and for the node's own processes."
  type = map(object({
    machine_type = string
    # Compute Engine's name; the machine type may fix which GPU and how many.
    accelerator = string
    gpus        = optional(number, 1)
    max_nodes   = number
    spot        = optional(bool, true)
    # Zones that have the GPU; null for the cluster's zones.
    zones = optional(list(string))
    # For container images and pods' scratch space; bundles are not stored on it.
    disk_gb = optional(number, 100)
  }))
  default = {
    l4 = { machine_type = "g2-standard-8", accelerator = "nvidia-l4", max_nodes = 4 }
  }

  validation {
    condition     = alltrue([for pool in var.gpu_pools : pool.max_nodes >= 1 && pool.gpus >= 1])
    error_message = "Expected at least one node and one GPU for each of gpu_pools."
  }

  validation {
    condition     = alltrue([for name in keys(var.gpu_pools) : !contains(["usual", "encode"], name)])
    error_message = "Expected names of gpu_pools other than usual and encode, which are pools already."
  }
}

variable "encode_pool" {
  description = "Node pool for encode workers. A node needs enough for the chart's `encoder.resources` (4 processors, 24 GiB) and for the node's own processes."
  type = object({
    machine_type = optional(string, "n2-standard-8")
    max_nodes    = optional(number, 2)
    spot         = optional(bool, true)
  })
  default = {}
}

variable "usual_pool" {
  description = "Node pool for everything else: orchestrators, KEDA, Kubernetes' own pods, and Temporal if it is in the cluster."
  type = object({
    machine_type = optional(string, "e2-standard-4")
    min_nodes    = optional(number, 1)
    max_nodes    = optional(number, 4)
  })
  default = {}
}

variable "people" {
  description = "Who may do what on the store, by part of infra/iam/parts.json: submitter, reviewer, repairer, remover. Members in IAM's notation, such as group:studio@example.com."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.people), ["submitter", "reviewer", "repairer", "remover"])) == 0
    error_message = "Expected the parts submitter, reviewer, repairer and remover, found ${join(", ", keys(var.people))}."
  }
}

variable "budget" {
  description = "Monthly budget: the billing account's administrators are notified when the project has spent half, nine tenths and all of it, or is forecast to. It stops nothing; max_nodes bounds the bill. Null for none."
  type = object({
    billing_account = string
    amount          = number
    # The billing account's currency.
    currency = string
  })
  default = null
}

variable "deletion_protection" {
  description = "Whether the cluster refuses to be destroyed."
  type        = bool
  default     = true
}
