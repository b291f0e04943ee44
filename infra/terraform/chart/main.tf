# The interface between Terraform and the Helm chart: the taints of nodes, which pods have to tolerate, and the chart's
# values that follow from what Terraform created. Needs no provider.

terraform {
  required_version = ">= 1.9"
}

variable "repository" {
  description = "The image's repository, without a tag."
  type        = string
}

variable "store" {
  description = "Name of the store's bucket."
  type        = string
}

variable "bundles" {
  description = "Name of the bucket with a folder for each bundle."
  type        = string
}

variable "accounts" {
  description = "E-mail addresses of the Google service accounts, by part: orchestrator, renderer, encoder."
  type        = map(string)
}

variable "gpu_pools" {
  description = "The accelerator of each pool, by the pool's name, and whether its machines are spot."
  type        = map(object({ accelerator = string, spot = bool }))
}

variable "encoders_on_spot" {
  description = "Whether the pool for encode workers has spot machines."
  type        = bool
}

locals {
  spot_taint = { key = "cloud.google.com/gke-spot", value = "true" }
  gpu_taint  = { key = "nvidia.com/gpu", value = "present" }

  annotations = { for part, email in var.accounts : part => { "iam.gke.io/gcp-service-account" = email } }

  # With several GPU pools, each entry of `renderers` names its own.
  renderer = length(var.gpu_pools) == 1 ? [
    for pool in var.gpu_pools : {
      renderer = {
        spot         = pool.spot
        nodeSelector = { "cloud.google.com/gke-accelerator" = pool.accelerator }
      }
    }
  ] : []
}

output "taints" {
  description = "The taints that keep other pods off the nodes, for each GPU pool and for the pool for encode workers."
  value = {
    gpu    = { for name, pool in var.gpu_pools : name => concat([local.gpu_taint], pool.spot ? [local.spot_taint] : []) }
    encode = var.encoders_on_spot ? [local.spot_taint] : []
  }
}

output "values" {
  description = "Values for infra/helm/pixart-batch, as YAML."
  value = yamlencode(merge({
    image          = { repository = var.repository }
    allow          = ["gs://${var.store}"]
    podAnnotations = { "gke-gcsfuse/volumes" = "true" }
    bundles = {
      csi = {
        driver   = "gcsfuse.csi.storage.gke.io"
        readOnly = true
        # `gcloud storage cp` creates no objects for folders, and without this option folders are not visible.
        volumeAttributes = { bucketName = var.bundles, mountOptions = "implicit-dirs" }
      }
    }
    orchestrator                      = { serviceAccountAnnotations = local.annotations["orchestrator"] }
    rendererServiceAccountAnnotations = local.annotations["renderer"]
    encoderServiceAccountAnnotations  = local.annotations["encoder"]
    encoder                           = { spot = var.encoders_on_spot }
  }, local.renderer...))
}
